"use strict";
// Times of the page as they were on the reader's clock, beside UTC.
(() => {
  const clock = new Intl.DateTimeFormat(undefined, {hour: "2-digit", minute: "2-digit", second: "2-digit"});
  const dated = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit"});
  if (new Date().getTimezoneOffset() === 0) return;
  for (const time of document.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const local = ("dated" in time.dataset ? dated : clock).format(date);
    time.append(` (${local} here)`);
  }
})();
