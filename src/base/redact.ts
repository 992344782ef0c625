/** Shorter values are not searched for: a password of two letters would blacken every word. */
const shortestSecret = 4;

/**
 * Answers a function that replaces every given secret in a text by `***`, as it is, percent-encoded and in
 * base64, and the userinfo of every URL.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret, "utf8").toString("base64"));
  }
  // The longest first, so that a secret inside another one leaves no remains.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((left, form) => left.replaceAll(form, "***"), redactUserinfo(text));
}

function redactUserinfo(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,512}@/gi, "$1***@");
}
