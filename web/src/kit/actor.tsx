import { type ActorLike, actorName, isSimulated } from "../words/names";

/** Who did it. A simulated person always carries the word, on every page. */
export function ActorName({ actor }: { readonly actor: ActorLike }) {
  return (
    <span className="actor">
      {actorName(actor)}
      {isSimulated(actor) && <span className="sim">simulated</span>}
    </span>
  );
}
