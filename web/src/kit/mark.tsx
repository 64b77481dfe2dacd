import type { StateName } from "../api/contract";

const PATHS: Readonly<Record<StateName, React.ReactNode>> = {
  auto: <circle cx="6" cy="6" r="4.75" fill="currentColor" />,
  pending: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" />,
  running: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6,1.75A4.25,4.25 0 0 1 6,10.25Z" fill="currentColor" />
    </>
  ),
  decided: <path d="M1.5,6.5L4.6,9.6L10.5,2.6" fill="none" stroke="currentColor" strokeWidth="2" />,
  blocked: <path fillRule="evenodd" d="M1,1H11V11H1ZM3,5V7H9V5Z" fill="currentColor" />,
  warned: <path d="M6,0.8L11.7,11H0.3Z" fill="currentColor" />,
  braked: (
    <path
      fillRule="evenodd"
      d="M3.6,0.5H8.4L11.5,3.6V8.4L8.4,11.5H3.6L0.5,8.4V3.6ZM3.6,3.5V8.5H5.2V3.5ZM6.8,3.5V8.5H8.4V3.5Z"
      fill="currentColor"
    />
  ),
  expired: (
    <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.75" strokeDasharray="2.2 2.25" />
  ),
};

/** The shape of a state. It never stands alone: the word beside it is what is read. */
export function Mark({ of }: { readonly of: StateName }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true">
      {PATHS[of]}
    </svg>
  );
}

/** A state: mark and word, always both. */
export function State({ of, children }: { readonly of: StateName; readonly children: React.ReactNode }) {
  return (
    <span className={`st ${of}`}>
      <Mark of={of} />
      {children}
    </span>
  );
}

/** The sign of the product: a rail with two posts and a step. */
export function Brand() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M2,15.5H7.2L12.8,6.5H18M5,15.5V18M15,6.5V18"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
