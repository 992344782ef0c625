import { HoldfastError, messageOf } from "../../base/errors.ts";

export type Attempt = {
  /** `read metadata.yaml` */
  readonly what: string;
  readonly where: string;
  readonly redact: (text: string) => string;
};

/** Translates what the SDK throws. Codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function storeFailure(thrown: unknown, attempt: Attempt): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const name = nameOf(thrown);
  const said = attempt.redact(`${name === "" || name === "Error" ? "" : `${name}: `}${messageOf(thrown)}`);
  const sentence = `cannot ${attempt.what} in ${attempt.where}: ${said}`;
  const known = rules.find((rule) => rule.names.test(name) || rule.names.test(codeOf(thrown)));
  const rule = known ?? (statusOf(thrown) === 403 ? denied : unavailable);
  return new HoldfastError(rule.reason, sentence, {
    disposition: rule.disposition,
    next: rule.next,
    cause: thrown,
  });
}

type Rule = {
  readonly names: RegExp;
  readonly reason: string;
  readonly disposition: "retry" | "stall";
  readonly next: string;
};

const denied: Rule = {
  names:
    /^(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AllAccessDisabled)$/,
  reason: "AccessDenied",
  disposition: "stall",
  next: "Check the storage Secret's keys and what they may do in the bucket.",
};

const unavailable: Rule = {
  names: /^$/,
  reason: "StoreUnavailable",
  disposition: "retry",
  next: "Check that the endpoint is right and reachable.",
};

const rules: readonly Rule[] = [
  denied,
  {
    names: /^NoSuchBucket$/,
    reason: "BucketNotFound",
    disposition: "stall",
    next: "Create the bucket or correct its name in the BackupStorage.",
  },
  {
    names: /^CredentialsProviderError$/,
    reason: "AccessDenied",
    disposition: "stall",
    next: "Name a storage Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod an identity.",
  },
  {
    names: /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    reason: "WrongRegion",
    disposition: "stall",
    next: "Correct the region or the endpoint of the BackupStorage.",
  },
  {
    names:
      /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_HAS_EXPIRED|ERR_TLS_CERT_ALTNAME_INVALID)$/,
    reason: "CertificateNotTrusted",
    disposition: "stall",
    next: "Put the CA's certificate into the storage Secret as CA_CERT_DATA.",
  },
  {
    names: /^(ERR_INVALID_URL|InvalidBucketName)$/,
    reason: "InvalidLocation",
    disposition: "stall",
    next: "Correct the endpoint and the bucket of the BackupStorage.",
  },
];

export function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : "";
}

/** Undefined when no answer came. */
export function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("$metadata" in thrown)) return undefined;
  const metadata = thrown.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error) || !("code" in thrown)) return "";
  return typeof thrown.code === "string" ? thrown.code : "";
}
