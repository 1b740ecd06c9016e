import { escapeHtml } from '../escape-html.ts';
import type { JsonSchema, OpenApiDocument, OperationObject, ParameterObject } from './openapi.ts';

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --dim: #66707d; --back: #f1f3f6; --rule: #d5dae1;
  --get: #2f6fb2; --post: #1f7a4d; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e6eaf0; --dim: #98a2b0; --back: #1c222b;
  --rule: #343c48; --get: #5b9bdc; --post: #37a06b; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin: 0 }
h4 { font-size: .9rem; margin: .8rem 0 0; color: var(--dim) } a { color: var(--get) } .dim { color: var(--dim) }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere } nav ul { columns: 18rem; padding-left: 1.2rem }
section { border-top: 1px solid var(--rule); padding: 1rem 0 } b.get { color: var(--get) } b.post { color: var(--post) }
table { border-collapse: collapse; width: 100% } td { padding: .2rem 1rem .2rem 0; vertical-align: top }
td:first-child { width: 30% } tr + tr td { border-top: 1px solid var(--back) }
`;

/** The document as one page that stands by itself: no scripts, no other files. */
export function docsPage({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const groups = tags.map((tag) => ({
    tag,
    members: operations.filter(({ operation }) => operation.tags.includes(tag)),
  }));
  const links = operations.map(
    ({ path, method, operation: { operationId } }) =>
      `<li><a href="#${operationId}"><b class="${method}">${method.toUpperCase()}</b> ${escapeHtml(path)}</a></li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(info.title)} <span class="dim">${escapeHtml(info.version)}</span></h1>
<p>${proseOf(info.description)}</p><nav><ul>${links.join('')}</ul></nav>
${groups.map(({ tag, members }) => `<h2>${tag}</h2>${members.map(sectionOf).join('\n')}`).join('\n')}
<h2>Schemas</h2>
${Object.entries(components.schemas).map(schemaSection).join('\n')}
</body></html>
`;
}

interface Listed {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

function sectionOf({ path, method, operation }: Listed): string {
  const { operationId, summary, parameters, requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses).map(([status, { description, content }]) =>
    rowOf(
      status,
      `${proseOf(description)} ${Object.values(content)
        .map(({ schema }) => typeOf(schema))
        .join(' or ')}`,
    ),
  );
  return `<section id="${operationId}"><h3><b class="${method}">${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code></h3>
<p>${proseOf(summary)}.</p>${tableOf('Parameters', parameters.map(parameterRow))}${tableOf('Body', body ? propertyRows(body) : [])}${tableOf('Answers', answers)}</section>`;
}

const schemaSection = ([name, schema]: readonly [string, JsonSchema]): string =>
  `<section id="${name}"><h3>${name}</h3><p>${proseOf(schema.description)}</p>${tableOf('', propertyRows(schema))}</section>`;

const parameterRow = ({ name, in: where, schema, description }: ParameterObject): string =>
  rowOf(name, `${typeOf(schema)} <span class="dim">in the ${where}</span> ${proseOf(description)}`);

const propertyRows = ({ properties = {}, required = [] }: JsonSchema): string[] =>
  Object.entries(properties).map(([name, one]) =>
    rowOf(required.includes(name) ? name : `${name}?`, `${typeOf(one)} ${proseOf(one.description)}`),
  );

const rowOf = (head: string, html: string): string => `<tr><td>${codeOf(head)}</td><td>${html}</td></tr>`;

const tableOf = (title: string, rows: readonly string[]): string =>
  rows.length === 0 ? '' : `${title && `<h4>${title}</h4>`}<table>${rows.join('')}</table>`;

/** Text in which `code` stands between backticks. */
const proseOf = (text = ''): string => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

/** A schema in few words: `integer, 1 to 1000`, `Runner[]`, `number or null`. */
function typeOf(schema: JsonSchema): string {
  const { $ref, anyOf, items, properties, additionalProperties: others } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return `<a href="#${name}">${name}</a>`;
  }
  if (anyOf) return anyOf.map(typeOf).join(' or ');
  if (items) return `${typeOf(items)}[]`;
  if (properties)
    return Object.entries(properties)
      .map(([name, one]) => `${codeOf(name)}: ${typeOf(one)}`)
      .join(', ');
  if (typeof others === 'object') return `${typeOf(others)} <span class="dim">by name</span>`;
  return scalarOf(schema);
}

function scalarOf({ type = 'anything', enum: values, const: value, ...schema }: JsonSchema): string {
  if (values) return values.map(codeOf).join(' ');
  if (value !== undefined) return codeOf(value);
  const name = typeof type === 'string' ? type : type.join(' or ');
  return `${name}${rangeOf(schema)}${schema.default === undefined ? '' : `, default ${schema.default}`}`;
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum === undefined) return isBounded ? `, up to ${maximum}` : '';
  return isBounded ? `, ${minimum} to ${maximum}` : `, from ${minimum}`;
}

const codeOf = (text: string): string => `<code>${escapeHtml(text)}</code>`;
