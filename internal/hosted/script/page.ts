// The script of the hosted pages. They are whole without it: it only keeps the
// page still while a form is sent, tells an embedding page what happens, and
// looks by itself where else a button must be pressed.
import { depart, returned } from "./away";
import { begin, over } from "./embed";
import { enhance } from "./field";
import { intercept } from "./form";
import { first } from "./swap";
import { look, watch } from "./watch";

function forget(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("input[type=password],input.code")) {
    input.value = "";
  }
}

document.documentElement.dataset.live = "";
intercept();
enhance();
first();
returned();
begin();
depart();
watch();
addEventListener("pagehide", forget);
addEventListener("pageshow", (event) => {
  if (event.persisted && !over()) look(true);
});
