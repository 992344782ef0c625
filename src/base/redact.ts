/** Shorter values are not searched for: a password of two letters would blacken every word. */
const shortestSecret = 4;

/**
 * Answers a function that replaces every given secret in a text by `***`, as it is, percent-encoded (as JavaScript and
 * as RFC 3986 do it, in capitals or not) and in base64, and the userinfo of every URL.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    forms.add(secret);
    for (const encoded of [encodeURIComponent(secret), encodedStrictly(secret)]) {
      forms.add(encoded);
      forms.add(encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
    }
    forms.add(Buffer.from(secret, "utf8").toString("base64"));
  }
  // The longest first, so that a secret inside another one leaves no remains.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((left, form) => left.replaceAll(form, "***"), redactUserinfo(text));
}

/** As RFC 3986 has it, with the marks that JavaScript leaves as they are. */
function encodedStrictly(secret: string): string {
  return encodeURIComponent(secret).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function redactUserinfo(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,512}@/gi, "$1***@");
}
