// The interfaces of the source are held against the description that the
// server publishes: every operation, field and word of an enumeration.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { url } from "./house.mjs";
import { operations } from "./operations.mjs";

const description = await (await fetch(`${url}/openapi.json`)).json();

/** Follows references. */
function at(from, ...names) {
  let found = from;
  for (let i = 0; ; i++) {
    if (found?.$ref) found = at(description, ...found.$ref.slice(2).split("/"));
    if (i === names.length || found === undefined) return found;
    found = found[names[i]];
  }
}

/** The schemas that stand for one: itself, or those of its oneOf and anyOf. */
function alternatives(schema) {
  const resolved = at(schema) ?? {};
  const found = [...(resolved.oneOf ?? []), ...(resolved.anyOf ?? [])].filter((one) => at(one).properties || !at(one).required);
  return found.length ? found.flatMap(alternatives) : [resolved];
}

const file = fileURLToPath(new URL("../src/index.ts", import.meta.url));
const program = ts.createProgram([file], {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, types: [],
});
const checker = program.getTypeChecker();
const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file))).map((symbol) =>
  [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol]));
const declared = (name) => checker.getDeclaredTypeOfSymbol(exported.get(name));

const faults = [];
const fault = (place, text) => faults.push(`${place}: ${text}`);

/** The types that a type is made of, undefined left out. */
const members = (type) => (type.isUnion() ? type.types : [type]).filter((one) => !(one.flags & ts.TypeFlags.Undefined));
const isNull = (type) => Boolean(type.flags & ts.TypeFlags.Null);
const isDate = (type) => type.symbol?.name === "Date";

/** Compares schemas with a type, in every part. */
function compare(place, schemas, type, leave = []) {
  const all = members(type);
  const described = schemas.flatMap(alternatives);
  const nullable = described.some((schema) => [schema.type].flat().includes("null"));
  if (all.some(isNull) !== nullable) fault(place, `null is ${nullable ? "" : "not "}described`);
  const types = all.filter((one) => !isNull(one) && !isDate(one));
  if (types.some((one) => one.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any))) return;
  const is = (flag) => types.every((one) => one.flags & flag);
  if (is(ts.TypeFlags.StringLike)) return compareWords(place, described, types);
  if (is(ts.TypeFlags.NumberLike)) return wantType(place, described, "integer");
  if (is(ts.TypeFlags.BooleanLike)) return wantType(place, described, "boolean");
  if (types.every((one) => checker.isArrayType(one))) {
    wantType(place, described, "array");
    return compare(`${place}[]`, described.map((schema) => schema.items), checker.getTypeArguments(types[0])[0]);
  }
  if (types.some((one) => checker.getIndexInfosOfType(one).length)) {
    wantType(place, described, "object");
    if (described.some((schema) => schema.properties)) fault(place, "has properties, and the type is a record");
    return;
  }
  compareFields(place, described, types, leave);
}

function compareFields(place, described, types, leave) {
  const names = new Set(described.flatMap((schema) => Object.keys(schema.properties ?? {})));
  const fields = new Set(types.flatMap((type) => type.getProperties().map(({ name }) => name)));
  for (const name of leave) fields.delete(name);
  for (const name of fields) if (!names.has(name)) fault(place, `${name} is not described`);
  for (const name of names) {
    if (!fields.has(name)) {
      fault(place, `${name} is in no interface`);
      continue;
    }
    const found = types.map((type) => type.getProperty(name));
    const required = described.every((schema) => schema.required?.includes(name));
    const given = found.every((symbol) => symbol && !(symbol.flags & ts.SymbolFlags.Optional));
    if (required !== given) fault(`${place}.${name}`, `required is ${required}, in the interface ${given}`);
    const schemas = described.map((schema) => schema.properties?.[name]).filter((schema) => typeof schema === "object");
    const parts = found.filter(Boolean).map((symbol) => checker.getTypeOfSymbol(symbol));
    compare(`${place}.${name}`, schemas, parts.length === 1 ? parts[0] : merged(parts));
  }
}

/** A type that has all the members of the types. */
function merged(types) {
  const parts = [...new Set(types.flatMap(members))];
  return { isUnion: () => true, types: parts, flags: 0 };
}

function compareWords(place, described, types) {
  const words = new Set();
  let open = false;
  for (const schema of described) {
    const values = schema.enum ?? ("const" in schema ? [schema.const] : undefined);
    if (!values) open = true;
    for (const value of values ?? []) if (value !== null) words.add(value);
  }
  const literals = types.filter((type) => type.isStringLiteral()).map(({ value }) => value);
  if (literals.length < types.length) {
    if (words.size && !open) fault(place, `is one of ${[...words]}, and the type is any string`);
    return wantType(place, described, "string");
  }
  for (const word of words) if (!literals.includes(word)) fault(place, `lacks ${word}`);
  for (const word of literals) if (!open && !words.has(word)) fault(place, `${word} is not described`);
}

function wantType(place, described, want) {
  for (const schema of described) {
    const flag = typeof schema.const === "boolean" && want === "boolean";
    if (!flag && ![schema.type].flat().includes(want)) fault(place, `is ${want}, and described as ${schema.type}`);
  }
}

/** Compares a method's parameters and answer with an operation. */
function compareCall(name, operation) {
  const [service, method] = name.split(".");
  const symbol = checker.getTypeOfSymbol(declared("Latchkey").getProperty(service)).getProperty(method);
  const signature = checker.getTypeOfSymbol(symbol).getCallSignatures()[0];
  const given = signature.getParameters().filter((parameter) => parameter.name !== "options")
    .map((parameter) => checker.getNonNullableType(checker.getTypeOfSymbol(parameter))).find((type) => type.flags & ts.TypeFlags.Object);
  const body = at(operation, "requestBody", "content", "application/json", "schema");
  const query = (operation.parameters ?? []).map((one) => at(one)).filter((one) => one.in === "query").map((one) => one.name);
  if (body) compare(`${name} request`, [body], given);
  else assert.deepEqual((given?.getProperties() ?? []).map((one) => one.name).sort(), query.sort(), `${name}: filter and query`);
  const answer = ["200", "201", "202"].map((status) => at(operation, "responses", status, "content", "application/json", "schema")).find(Boolean);
  const promised = checker.getTypeArguments(signature.getReturnType())[0];
  if (promised.flags & ts.TypeFlags.Void) assert.deepEqual(Object.keys(at(answer)?.properties ?? {}), [], name);
  else compare(`${name} answer`, [answer], promised, name === "link.init" ? ["replayed"] : []);
}

test("the source compiles", () => {
  assert.deepEqual(ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")), []);
});

test("every operation has a method, and every field a place in its types", () => {
  const byOperation = new Map(Object.entries(operations).map(([name, operation]) => [operation, name]));
  const called = new Set();
  let count = 0;
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (method === "parameters" || operation.security || path === "/v2/connections") continue; // no key is needed; an alias
      count++;
      const proxied = operation["x-latchkey-pass-through"];
      const name = byOperation.get(`${proxied ? "GET" : method.toUpperCase()} ${path}`);
      if (!name) {
        fault(`${method} ${path}`, "no method calls it");
        continue;
      }
      called.add(name);
      if (!proxied) compareCall(name, operation);
    }
  }
  for (const name of Object.keys(operations)) if (!called.has(name)) fault(name, "calls what is not described");
  compare("LatchkeyEvent", [at(description, "components", "schemas", "Event")], declared("LatchkeyEvent"));
  compare("ErrorBody", ["Error", "SubmitConflict"].map((name) => at(description, "components", "schemas", name)), declared("ErrorBody"));
  assert.deepEqual(members(declared("EventType")).map(({ value }) => value).sort(), Object.keys(description.webhooks).sort());
  assert.ok(count >= 40, `${count} operations`);
  assert.deepEqual(faults, []);
});
