import { Link } from "@tanstack/react-router";
import type { Certificate } from "../api/contract";
import { useNow } from "../app/use-page";
import { Document, Empty, Facts } from "../kit/document";
import { State } from "../kit/mark";
import { count, counted, percentShort } from "../words/number";
import { moment, readTime } from "../words/time";
import { automates, letsThrough, limitSaid } from "./groups";
import { certificateFacts, certificateState, neededSentence } from "./sentences";

function Statement({ certificate }: { readonly certificate: Certificate }) {
  const { coverage, delta, labels } = certificate;
  if (!letsThrough(certificate)) return <p className="statement">{neededSentence(certificate)}</p>;
  return (
    <p className="statement num">
      {automates(certificate)} {coverage === null ? "scores in its range" : <b>{percentShort(coverage, 0)}</b>} at{" "}
      <b>{limitSaid(certificate)}</b>, <b>{percentShort(1 - delta, 0)}</b> sure, from <b>{count(labels)}</b> labels.
    </p>
  );
}

interface Shown {
  readonly certificate: Certificate | null;
  readonly project: string;
  readonly waiting: number;
}

/** The certificate as a document: one sentence, then its evidence. */
export function CertificateDocument({ certificate, project, waiting }: Shown) {
  const now = useNow(60_000);
  if (certificate === null) {
    return (
      <Empty
        title="No certificate yet"
        actions={
          waiting > 0 ? (
            <Link className="btn" to="/projects/$project/tasks" params={{ project }}>
              Answer {counted(waiting, "open task")}
            </Link>
          ) : undefined
        }
      >
        <p>
          Every item goes to people until randomly drawn labels show that the model errs less than your limit. Their
          number is fixed before the first one is looked at.
        </p>
      </Empty>
    );
  }
  const state = certificateState(certificate.status);
  const issued = readTime(certificate.issued_at);
  const facts = certificateFacts(certificate);
  return (
    <Document title={`Certificate ${certificate.id}`} say={<State of={state.state}>{state.text}</State>}>
      <Statement certificate={certificate} />
      <Facts
        facts={
          issued === null
            ? facts
            : [...facts, { term: letsThrough(certificate) ? "Issued" : "Answered", fact: moment(issued, { now }) }]
        }
      />
    </Document>
  );
}
