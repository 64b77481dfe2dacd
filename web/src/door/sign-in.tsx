import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { safeNext } from "../api/address";
import { signIn } from "../api/client";
import { sessionQuery } from "../api/queries";
import { useTitle } from "../app/use-page";
import { ProblemNotice } from "../kit/problem";
import { Door, FormField, textsOf } from "./door";

export function SignInPage() {
  const { next } = useSearch({ from: "/sign-in" });
  const queries = useQueryClient();
  const navigate = useNavigate();
  useTitle("Sign in");
  const enter = useMutation({
    mutationFn: signIn,
    onSuccess: async () => {
      queries.clear();
      await queries.fetchQuery(sessionQuery);
      await navigate({ to: safeNext(next), replace: true });
    },
  });
  return (
    <Door>
      <h1>Sign in</h1>
      <p>Your answers and signatures are kept in the journal under your name.</p>
      <form
        aria-label="Sign in"
        onSubmit={(event) => {
          event.preventDefault();
          const text = textsOf(event.currentTarget);
          enter.mutate({ email: text("email"), password: text("password") });
        }}
      >
        <FormField label="E-mail" name="email" type="email" autoComplete="username" />
        <FormField label="Password" name="password" type="password" autoComplete="current-password" />
        {enter.isError && <ProblemNotice error={enter.error} />}
        <div className="actions">
          <button type="submit" className="btn primary" disabled={enter.isPending}>
            {enter.isPending ? "Signing in" : "Sign in"}
          </button>
        </div>
      </form>
    </Door>
  );
}
