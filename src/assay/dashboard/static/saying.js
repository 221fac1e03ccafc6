// Tells screen readers, politely and not more often than they can speak.
let pending;

export function say(text) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    const said = document.getElementById("said");
    if (said) said.textContent = text;
  }, 150);
}
