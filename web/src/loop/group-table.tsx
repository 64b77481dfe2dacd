import type { Automation, Certificate, Group } from "../api/contract";
import { Section } from "../kit/document";
import { State } from "../kit/mark";
import { Scroll } from "../kit/scroll";
import { fixed, percentShort } from "../words/number";
import { groupDetail, groupShare, groupState, groupsRule, groupsSaid } from "./groups";

function Row({ group, automation }: { readonly group: Group; readonly automation: Automation }) {
  const { state, text } = groupState(group, automation);
  const detail = groupDetail(group);
  return (
    <tr>
      <th scope="row">
        {group.group}
        <span className="small soft">limit {percentShort(group.alpha)}</span>
      </th>
      <td className="r">{group.threshold === null ? "none" : fixed(group.threshold, 3)}</td>
      <td className="r">{groupShare(group, automation)}</td>
      <td>
        <State of={state}>{text}</State>
        {detail !== "" && <span className="small soft">{detail}</span>}
      </td>
    </tr>
  );
}

interface Shown {
  readonly certificate: Certificate | null;
  readonly automation: Automation;
}

/** The groups of the certificate, each with its limit, threshold, the share that it automates, and its state. */
export function GroupTable({ certificate, automation }: Shown) {
  if (certificate === null || certificate.groups.length === 0) return null;
  return (
    <Section title="Groups" say={<span className="num">{groupsSaid(certificate.groups, automation)}</span>}>
      <p className="soft">{groupsRule(certificate)}</p>
      <Scroll label="Groups of the certificate">
        <table className="tbl groups num">
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col" className="r">
                Threshold
              </th>
              <th scope="col" className="r">
                Automates
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {certificate.groups.map((group) => (
              <Row key={group.group} group={group} automation={automation} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}
