// What scrolls sideways and holds nothing that Tab goes to is gone to itself, so that keys scroll it.
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

export function install() {
  renew();
  addEventListener("resize", renew);
}

function renew() {
  for (const wide of document.querySelectorAll(".wide")) {
    const needs = wide.scrollWidth > wide.clientWidth && !wide.querySelector(FOCUSABLE);
    if (needs) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}
