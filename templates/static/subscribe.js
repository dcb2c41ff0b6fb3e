// Answers the sign-up form in place. Without this file the form posts as any form does, and a page answers it.
// The body is what a form sends, so that a form on another site needs no preflight; the answer is JSON.
"use strict";
for (const form of document.querySelectorAll("form[data-subscribe]")) {
  const place = form.parentElement;
  const done = place.querySelector("[data-done]");
  const failed = place.querySelector("[data-failed]");
  const why = place.querySelector("[data-why]");
  const otherwise = why.textContent;
  let busy = false;

  async function send() {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "omit",
      signal: AbortSignal.timeout(15000),
    });
    if (response.ok) return "";
    const problem = await response.json().catch(() => ({}));
    return problem.detail || otherwise;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    failed.hidden = true;
    const wrong = await send().catch(() => otherwise);
    busy = false;
    form.hidden = wrong === "";
    done.hidden = wrong !== "";
    failed.hidden = wrong === "";
    why.textContent = wrong || otherwise;
    if (!wrong) {
      done.tabIndex = -1;
      done.focus(); // the form that had the focus is gone
    }
  });
}
