"""The dashboard as routes of the served app."""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router

from assay.dashboard import doors, exports, forms, rendering, sealing, signing, statics
from assay.dashboard.asking import Ask, part, typed
from assay.dashboard.live import Live
from assay.dashboard.local_api import LocalApi, RefusedError
from assay.dashboard.registry import ACTIONS, PAGES
from assay.errors import AssayError
from assay.store import keys
from assay.wire.packing import packed
from assay.wire.paths import EncodedPaths, decoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

    from assay.access.principals import Principal
    from assay.access.services import Services, Writer
    from assay.dashboard.page import Action, Page

_log = logging.getLogger("assay.dashboard")
PREFIX = "/p/"
_STATUS = {
    "bad_id": 400,
    "bad_cursor": 400,
    "key_invalid": 401,
    "key_missing": 401,
    "not_local": 403,
    "not_same_origin": 403,
    "page_not_found": 404,
    "project_not_found": 404,
    "body_too_large": 413,
    "internal": 500,
    "span_not_found": 404,
    "function_not_found": 404,
    "database_unavailable": 503,
}
_INVALID = 422


class Site:
    """The pages of an app, and what they share."""

    def __init__(self, app: Starlette, services: Services, targets: Sequence[str]) -> None:
        self.services = services
        self._targets = tuple(targets)
        self.live = Live(services)
        self._app = app
        self._names: dict[int, str] = {}

    def routes(self) -> list[Route | Mount]:
        """All routes of the dashboard; what else begins with `/p/` is a page that is missing."""
        below: list[Route] = [Route("/{project}/live", self._live)]
        for page in PAGES:
            if page.api is not None and not page.is_panel:
                for ending, respond in ((".json", exports.as_json), (".csv", exports.as_csv)):
                    export = exports.of(page, ending, respond)
                    below.append(self._route(page, ending, export))
            below.append(self._route(page, "", self._show(page)))
        for action in ACTIONS:
            below.append(Route("/{project}" + action.path, self._action(action), methods=["POST"]))
            below.append(Route("/{project}" + action.path, _to_its_form, methods=["GET"]))
        router = Router(below, redirect_slashes=False, default=self._missing)
        return [
            Route("/", self._home),
            *signing.routes(self.services),
            Route("/static/{version}/{name:path}", statics.respond),
            # A part of a path may hold any text, a slash too: it is routed as it was sent.
            Mount("/p", app=EncodedPaths(router, prefixes=(PREFIX,))),
        ]

    def _route(
        self, page: Page, ending: str, respond: Callable[[Ask], Awaitable[Response]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._answer(request, page, respond)

        return Route("/{project}" + page.path + ending, endpoint, methods=["GET"])

    def _action(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            async def respond(ask: Ask) -> Response:
                doors.check_own(request.headers)
                form = await forms.read(request)
                try:
                    path = await action.act(ask, form)
                except AssayError as error:
                    if action.shown_by is None:
                        raise
                    filled = {name: text for name, text in form.fields.items() if text}
                    path = action.shown_by.path.format(
                        **{name: part(value) for name, value in ask.params.items()}
                    )
                    again = replace(ask, path=path, query=filled, error=error)
                    return await self._show(action.shown_by)(again)
                return RedirectResponse(ask.url(path), HTTPStatus.SEE_OTHER)

            return await self._answer(request, action.shown_by, respond)

        return endpoint

    async def _answer(
        self, request: Request, page: Page | None, respond: Callable[[Ask], Awaitable[Response]]
    ) -> Response:
        ask: Ask | None = None
        try:
            principal = await doors.who(self.services, request.headers, request.cookies)
            ask = await self._ask(request, principal, page)
            answered = await respond(ask)
        except AssayError as error:
            if error.code == "key_missing":
                return signing.needed(request)
            return self._refuse(ask, page, error)
        except Exception as error:  # noqa: BLE001 - told as a page, and logged
            _log.exception("%s %s failed", request.method, request.url.path)
            return self._refuse(ask, page, _fault(error))
        return packed(answered, request)

    async def _ask(self, request: Request, principal: Principal, page: Page | None) -> Ask:
        name = await self._project_name(principal.project)
        asked = decoded(request.path_params["project"])
        ask = Ask(
            project=principal.project,
            project_name=name,
            key=principal.key,
            path=request.scope["path"].removeprefix(PREFIX + request.path_params["project"]),
            params={
                name: decoded(value)
                for name, value in request.path_params.items()
                if name != "project"
            },
            query={
                name: typed(name, text)
                for name, text in request.query_params.items()
                if text.strip()
            },
            server=str(request.base_url).rstrip("/").removesuffix("/p"),
            now=self.services.now(),
            services=self.services,
            api=LocalApi(self._app, principal),
            shows=None if page is None else page.api,
            own=frozenset() if page is None else page.own,
            targets=self._targets,
        )
        if asked != name:
            raise AssayError(
                f"there is no project {asked!r} for you: this key is of the project {name!r}",
                code="project_not_found",
                field="project",
                hint="sign in with a key of that project, or look at the one that you may see",
            )
        return ask

    def _show(self, page: Page) -> Callable[[Ask], Awaitable[Response]]:
        async def show(ask: Ask) -> Response:
            # Before the page is made: what happens meanwhile is told of once more, never missed.
            pulse = await self.live.now(ask.project) if page.live else ""
            view = await page.render(ask)
            text = rendering.whole(ask, page, view, PAGES, pulse=pulse)
            return sealing.html(text, HTTPStatus.OK if ask.error is None else _status(ask.error))

        return show

    def _refuse(self, ask: Ask | None, page: Page | None, error: AssayError) -> Response:
        status = _status(error)
        text = rendering.refusal(ask, page, error, status, PAGES)
        return sealing.html(text, status)

    async def _home(self, request: Request) -> Response:
        try:
            principal = await doors.who(self.services, request.headers, request.cookies)
            name = await self._project_name(principal.project)
        except AssayError as error:
            return (
                signing.needed(request)
                if error.code == "key_missing"
                else self._refuse(None, None, error)
            )
        return RedirectResponse(f"{PREFIX}{name}/")

    async def _live(self, request: Request) -> Response:
        async def respond(ask: Ask) -> Response:
            seen = request.headers.get("last-event-id") or ask.query.get("since", "")
            events = self.live.stream(ask.project, seen)
            return StreamingResponse(events, media_type="text/event-stream")

        return await self._answer(request, None, respond)

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        project, slash, rest = scope["path"].removeprefix(PREFIX).partition("/")
        scope["path_params"] = {"project": project}
        # As people write addresses.
        if project and (rest.endswith("/") or not slash):
            typed = scope["path"].rstrip("/") if rest.strip("/") else f"{PREFIX}{project}/"
            await RedirectResponse(_with_query(request, typed))(scope, receive, send)
            return

        async def respond(_: Ask) -> Response:
            raise AssayError(
                f"there is no page /{rest}",
                code="page_not_found",
                hint="the navigation leads to all pages",
            )

        response = await self._answer(request, None, respond)
        await response(scope, receive, send)

    async def _project_name(self, project: int) -> str:
        if project not in self._names:

            async def find(writer: Writer) -> str | None:
                return await keys.name_of_project(await writer.link.get(), project)

            found: str | None = await self.services.write(find)
            self._names[project] = found or str(project)
        return self._names[project]


def add_dashboard(app: Starlette, services: Services, *, targets: Sequence[str] = ()) -> Site:
    """Add the dashboard to the app that serves the API; `live.close()` is for when it ends.

    *targets* are the files that a worker beside it runs.
    """
    site = Site(app, services, targets)
    app.router.routes.extend(site.routes())
    app.add_middleware(sealing.Sealed)
    return site


async def _to_its_form(request: Request) -> Response:
    """From the path of an action, where a refused form leaves the browser, to the thing itself."""
    return RedirectResponse(request.scope["path"].rpartition("/")[0], HTTPStatus.SEE_OTHER)


def _with_query(request: Request, path: str) -> str:
    return f"{path}?{request.url.query}" if request.url.query else path


def _status(error: AssayError) -> int:
    return error.status if isinstance(error, RefusedError) else _STATUS.get(error.code, _INVALID)


def _fault(error: Exception) -> AssayError:
    return AssayError(
        "something went wrong here; the server's log says what",
        code="internal",
        hint=f"it was a {type(error).__name__}",
    )
