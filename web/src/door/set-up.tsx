import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { setUp } from "../api/client";
import { sessionQuery } from "../api/queries";
import { useTitle } from "../app/use-page";
import { Empty } from "../kit/document";
import { ProblemNotice } from "../kit/problem";
import { Door, FormField, textsOf } from "./door";

const ABOUT = (
  <p className="soft">
    You are the first person here and will administer this server. Other people are invited later, each by a link of
    their own.
  </p>
);

function NoLink() {
  return (
    <Door>
      <h1>Set up Handrail</h1>
      <p>Nobody has signed up on this server yet.</p>
      <Empty title="The sign-up link is needed">
        <p>
          It was printed where the server was started and works once. Open that link in this browser; starting the
          server again prints a new one.
        </p>
      </Empty>
    </Door>
  );
}

/** First run: the person who holds the one-time link becomes the administrator. */
export function SetUpPage() {
  const { token } = useSearch({ from: "/setup" });
  const queries = useQueryClient();
  const navigate = useNavigate();
  useTitle("Set up");
  const create = useMutation({
    mutationFn: setUp,
    onSuccess: async () => {
      queries.clear();
      await queries.fetchQuery(sessionQuery);
      await navigate({ to: "/", replace: true }); // the link leaves the address and the history
    },
  });
  if (token === "") return <NoLink />;
  return (
    <Door aside={ABOUT}>
      <h1>Who are you?</h1>
      <p>Your name stands beside everything you answer, sign and change.</p>
      <form
        aria-label="Set up"
        onSubmit={(event) => {
          event.preventDefault();
          const text = textsOf(event.currentTarget);
          create.mutate({ token, name: text("name"), email: text("email"), password: text("password") });
        }}
      >
        <FormField label="Name" name="name" autoComplete="name" />
        <FormField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          note="Used to sign in; no mail is sent."
        />
        <FormField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          note="At least 10 characters. A few words are easier to keep."
        />
        {create.isError && <ProblemNotice error={create.error} />}
        <div className="actions">
          <button type="submit" className="btn primary" disabled={create.isPending}>
            {create.isPending ? "Creating your account" : "Create account"}
          </button>
          <Link to="/sign-in" search={{ next: "/" }} className="btn quiet">
            I have an account
          </Link>
        </div>
      </form>
    </Door>
  );
}
