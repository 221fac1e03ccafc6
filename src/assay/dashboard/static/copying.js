// Buttons that copy: data-copy holds the text, or stands beside the <pre> that does.
import { say } from "./saying.js";

export function install() {
  reveal(document);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (!button) return;
    const text = button.dataset.copy || button.parentElement.querySelector("pre")?.textContent || "";
    try {
      await navigator.clipboard.writeText(text);
      say("copied");
      const before = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = before), 1200);
    } catch {
      say("the browser did not let this page copy");
    }
  });
}

// Hidden without JavaScript, since they would do nothing.
export function reveal(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
}
