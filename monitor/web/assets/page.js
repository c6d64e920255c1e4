// Comfort only: times in the reader's own zone, in the words of the page. The exact time in UTC stays in the title.
"use strict";
(function () {
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
  const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  for (const each of document.querySelectorAll("time[datetime*='T']")) {
    const moment = new Date(each.dateTime);
    if (!isNaN(moment)) each.textContent = day.format(moment) + ", " + hour.format(moment);
  }
  const zone = document.querySelector("input[data-preset=zone]"); // a new form: the zone of who fills it in
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
})();
