// What a page is looked over for; put into it by the browser, which asks no policy.
globalThis.checks = (() => {
  const ASIDE = "script, style, dialog, .unseen, .skip, svg, option, .panel";
  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const isHiding = (style) => style.overflowX !== "visible" || style.overflowY !== "visible";

  // The part of a rectangle that no ancestor scrolls away or cuts off.
  function seen(rect, element) {
    let { left, right, top, bottom } = rect;
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (!isHiding(getComputedStyle(at))) continue;
      const own = at.getBoundingClientRect();
      left = Math.max(left, own.left);
      right = Math.min(right, own.right);
      top = Math.max(top, own.top);
      bottom = Math.min(bottom, own.bottom);
    }
    return { left, right, top, bottom };
  }

  function texts() {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || element.closest(ASIDE)) continue;
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        const box = seen(rect, element);
        if (box.right - box.left <= 1 || box.bottom - box.top <= 1) continue;
        found.push({ ...box, node, text: node.data.trim().slice(0, 60) });
      }
    }
    return found;
  }

  // Letters of several scripts on one line have boxes of several heights: a text isn't over itself.
  function overlapping(slack) {
    const isOver = ({ node }) => node.parentElement.closest("thead, details.menu > div, .snippet button");
    const all = texts().filter((one) => !isOver(one));
    all.sort((a, b) => a.top - b.top);
    const wrong = [];
    all.forEach((a, index) => {
      for (const b of all.slice(index + 1)) {
        if (b.top >= a.bottom - slack) break;
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const height = Math.min(a.bottom, b.bottom) - b.top;
        if (a.node !== b.node && width > slack && height > slack) wrong.push(`${a.text} | ${b.text}`);
      }
    });
    return wrong;
  }

  function tooWide() {
    const root = document.documentElement;
    const most = root.clientWidth;
    const wrong = texts().filter(({ left, right }) => right > most + 1 || left < -1);
    return [
      ...(root.scrollWidth > most ? [`the page scrolls to ${root.scrollWidth}`] : []),
      ...wrong.map(({ text, left, right }) => `${text}: ${left} to ${right}`),
    ];
  }

  // What is cut says all of it when pointed at, or leads to where all of it stands.
  function cut() {
    const isCut = (one) =>
      ["hidden", "clip"].includes(getComputedStyle(one).overflowX) &&
      one.scrollWidth > one.clientWidth + 1 &&
      one.checkVisibility() &&
      !one.closest("svg, .unseen");
    const isTold = (one) =>
      one.closest("[title], a, tr[data-href], tr[data-peek]") || one.querySelector("[title], a");
    return [...document.querySelectorAll("main *, nav *")]
      .filter((one) => isCut(one) && !isTold(one))
      .map((one) => one.outerHTML.slice(0, 200));
  }

  function reachable() {
    const found = [...document.querySelectorAll(FOCUSABLE)].filter(
      (one) =>
        one.checkVisibility({ visibilityProperty: true }) &&
        !one.disabled &&
        one.tabIndex >= 0 &&
        !one.closest("dialog:not([open])"),
    );
    found.forEach((one, index) => (one.dataset.reach = String(index)));
    return found.map((one) => one.outerHTML.slice(0, 160));
  }

  function focused() {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one);
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
    return {
      reach: Number(one.dataset.reach ?? -1),
      name: one.outerHTML.slice(0, 160),
      isShown: isInside && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    };
  }

  return { overlapping, tooWide, cut, reachable, focused };
})();
