/** A DNS label, as a pattern: the name becomes a folder of the record. */
export const clusterName = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
