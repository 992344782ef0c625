/** RFC 3339 with the zone's offset, as Kubernetes writes the scheduled time into a Job's annotation. */
export function zonedTimestamp(ms: number, timeZone: string | undefined): string {
  if (timeZone === undefined || timeZone === "" || timeZone === "UTC" || timeZone === "Etc/UTC") {
    return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
  }
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).formatToParts(ms);
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const [, sign = "+", hours = "00", minutes = "00"] = /([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  const local = new Date(ms + offsetMs).toISOString().slice(0, 19);
  return offsetMs === 0 ? `${local}Z` : `${local}${sign}${hours}:${minutes}`;
}
