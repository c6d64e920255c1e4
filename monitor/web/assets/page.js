// Comfort only: times in the reader's own zone. The exact time in UTC stays in the title.
"use strict";
(function () {
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const each of document.querySelectorAll("time[datetime*='T']")) {
    const moment = new Date(each.dateTime);
    if (!isNaN(moment)) each.textContent = shown.format(moment);
  }
})();
