// Runs before the first paint, so that nobody sees the other theme flash.
try {
  const theme = localStorage.getItem("assay-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage that is switched off leaves the system's choice.
}
