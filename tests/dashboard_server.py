"""The API with the dashboard on a database of a test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import html_pages
from api_server import ApiServer
from assay.dashboard.site import add_dashboard

if TYPE_CHECKING:
    import httpx2

    from assay.clock import ManualClock
    from assay.settings import Limits

OWN = {"sec-fetch-site": "same-origin"}


class DashboardServer(ApiServer):
    """What `ApiServer` is, with pages."""

    def __init__(
        self,
        url: str,
        *,
        dev: bool = True,
        limits: Limits | None = None,
        targets: tuple[str, ...] = (),
        clock: ManualClock | None = None,
    ) -> None:
        super().__init__(url, dev=dev, limits=limits, clock=clock)
        self.site = add_dashboard(self.app, self.app.state.services, targets=targets)

    def look(self, path: str, **params: Any) -> html_pages.Element:
        """A page below the default project that must be there."""
        response = self.ask("GET", f"/p/default{path}", params=params)
        assert response.status_code == 200, response.text
        return html_pages.read(response.text)

    def act(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form as a page of this server does."""
        return self.ask("POST", f"/p/default{path}", data=fields, headers=OWN)
