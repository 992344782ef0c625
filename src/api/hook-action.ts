import { list, numberOrText, object, optional, text } from "./schema.ts";

const header = () => object({ name: text("Name of the header."), value: text("Its value.") }, "One header.");

const requestFields = {
  path: optional(text("Path of the URL.")),
  port: numberOrText("Port, by number or by its name in the container."),
  host: optional(text("Host; the address of the pod when absent.")),
  scheme: optional(text("`HTTP` or `HTTPS`; `HTTP` when absent.")),
  httpHeaders: optional(list(header(), "Headers of the request.")),
};

/** What a hook does: one of four ways to reach an application. */
export function hookAction() {
  const exec = object(
    { command: optional(list(text("One word."), "Program and arguments; no shell is added.")) },
    "A command in a container.",
  );
  const httpGet = object(requestFields, "A GET request; it succeeds with a status from 200 to 399.");
  const formEntry = object(
    { key: text("Name of the field."), values: optional(list(text("One value."), "Its values.")) },
    "One field.",
  );
  const httpPost = object(
    {
      ...requestFields,
      body: optional(text("Body of the request.")),
      form: optional(list(formEntry, "Fields of a form, in place of a body.")),
    },
    "A POST request; it succeeds with a status from 200 to 399.",
  );
  const tcpSocket = object(
    {
      port: numberOrText("Port, by number or by its name in the container."),
      host: optional(text("Host; the address of the pod when absent.")),
    },
    "A TCP connection; it succeeds when it is accepted.",
  );
  return object(
    {
      exec: optional(exec),
      httpGet: optional(httpGet),
      httpPost: optional(httpPost),
      tcpSocket: optional(tcpSocket),
      containerName: optional(text("Container that it is about; the first one when absent.")),
    },
    "What is done; may hold `${name}` of the parameters.",
  );
}
