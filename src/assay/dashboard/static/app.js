// What every page has: keys, theme, copying, times, rows with the panel, live updates.
import { install as keys } from "./keys.js";
import { install as theme } from "./theme-button.js";
import { install as copying } from "./copying.js";
import { install as times } from "./times.js";
import { install as rows } from "./rows.js";
import { install as palette } from "./palette.js";
import { install as live } from "./live.js";
import { install as forms } from "./forms.js";
import { install as brush } from "./brush.js";
import { install as marked } from "./marked.js";
import { install as wide } from "./wide.js";

for (const install of [keys, theme, copying, times, rows, palette, live, forms, brush, wide, marked]) install();
