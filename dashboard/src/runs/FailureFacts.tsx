// Owns how a failure is told: what, in detail, and where.
import type { Failure } from "../api/client";
import { Facts } from "../ui";

export function FailureFacts({ failure }: { failure: Failure }) {
  return (
    <Facts
      facts={[
        ["What", failure.title ?? failure.type],
        ["Detail", failure.detail ?? "none"],
        ["Type", <code key="t">{failure.type}</code>],
        ["Status", String(failure.status)],
        ["Where", failure.instance === undefined ? "unknown" : <code key="i">{failure.instance}</code>],
      ]}
    />
  );
}
