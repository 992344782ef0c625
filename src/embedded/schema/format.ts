import { isIP, isIPv4, isIPv6 } from "node:net";

const patterns: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  duration: /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$|^0$/,
  hostname:
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
  email: /^[^@\s]+@[^@\s]+$/,
  mac: /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i,
  hexcolor: /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i,
};

/** Whether a text has a format that CustomResourceDefinitions know; unknown formats are only a note. */
export function formatFits(format: string, value: string): boolean {
  switch (format) {
    case "ipv4":
      return isIPv4(value);
    case "ipv6":
      return isIPv6(value);
    case "ip":
      return isIP(value) !== 0;
    case "cidr": {
      const [address = "", bits = ""] = value.split("/");
      return isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128);
    }
    case "uri":
      return URL.canParse(value);
    default:
      return patterns[format]?.test(value) ?? true;
  }
}
