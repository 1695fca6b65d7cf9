// enhance adds to the fields of a page what only a script can do.
export function enhance(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-reveal]")) reveal(button);
  for (const input of document.querySelectorAll<HTMLInputElement>("input.code")) code(input);
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-resend-in]")) resend(button);
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-search]")) search(input);
}

function reveal(button: HTMLButtonElement): void {
  const input = document.getElementById(button.dataset.reveal || "") as HTMLInputElement | null;
  if (!input) return;
  const show = button.getAttribute("aria-label") || "";
  button.hidden = false;
  button.onclick = () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.setAttribute("aria-label", shown ? button.dataset.hide || "" : show);
    input.focus();
  };
  // A shown password must not be sent, or kept by the browser, as plain text.
  input.form?.addEventListener("submit", () => { input.type = "password"; });
}

// code sends a code that was pasted, or typed to its full length.
function code(input: HTMLInputElement): void {
  let before = 0;
  input.addEventListener("input", () => {
    const digits = input.value.replace(/\D/g, "").length;
    const length = Number(input.dataset.length || 0);
    const pasted = digits - before > 1 && digits >= (length || 4);
    before = digits;
    const others = input.form?.querySelectorAll("input:not([type=hidden])").length;
    if (others === 1 && (pasted || (length > 0 && digits === length))) input.form?.requestSubmit();
  });
}

// resend counts down until it is worth asking for another code.
function resend(button: HTMLButtonElement): void {
  const note = button.parentElement?.querySelector<HTMLElement>("[data-resend-note]");
  const clock = note?.querySelector("bdi");
  const end = Date.now() + 1000 * Number(button.dataset.resendIn);
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0 || !button.isConnected) {
      clearInterval(timer);
      button.disabled = false;
      if (note) note.hidden = true;
    } else if (clock) {
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }
  };
  const timer = setInterval(tick, 1000);
}

function search(input: HTMLInputElement): void {
  const none = document.querySelector<HTMLElement>("[data-none]");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let found = 0;
    for (const choice of document.querySelectorAll<HTMLElement>(".choice")) {
      choice.hidden = !(choice.textContent || "").toLowerCase().includes(wanted) && !choice.querySelector(":checked");
      if (!choice.hidden) found++;
    }
    if (none) {
      none.hidden = found > 0;
      const word = none.querySelector("bdi");
      if (word) word.textContent = input.value;
    }
  });
}
