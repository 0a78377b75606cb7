// Owns what is shown at an address that is no page.
import { Link } from "react-router";
import { Card, css as ui } from "../ui";
import { Page } from "./Page";

export function MissingPage() {
  return (
    <Page title="Nothing is here">
      <Card>
        <p className={ui.cardBody}>
          The address is no page of the dashboard. <Link to="/">Home</Link> leads everywhere.
        </p>
      </Card>
    </Page>
  );
}
