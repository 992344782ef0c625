/** Whether a variable of this name, such as `AWS_SECRET_ACCESS_KEY`, probably holds a secret. */
export function isSecretName(name: string): boolean {
  return /KEY|SECRET|TOKEN|PASS|CREDENTIAL|SAS/i.test(name);
}
