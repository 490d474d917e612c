import type { HeaderChanges, HeaderRuleConfig } from '../config/types.js';
import { headerMap } from '../pipeline/documents/header-map.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

/** Changes the headers of requests and responses. */
export class HeaderRule implements Rule {
  readonly admit?: (request: RuledRequest) => null;
  readonly finish?: (request: RuledRequest, response: PluginResponse) => PluginResponse;

  /** @param configs the rules of the server and of the endpoint, in the order in which they apply */
  constructor(configs: readonly HeaderRuleConfig[]) {
    const requests = configs.flatMap(({ request }) => request ?? []);
    const responses = configs.flatMap(({ response }) => response ?? []);
    if (requests.length > 0) {
      const changes = requests.map(headerChange);
      this.admit = (received) => {
        const headers = headerMap(received.rawHeaders);
        for (const change of changes) change(headers);
        received.rawHeaders = flatList(headers);
        return null;
      };
    }
    if (responses.length > 0) {
      const changes = responses.map(headerChange);
      this.finish = (_request, given) => {
        for (const change of changes) change(given.headers);
        return given;
      };
    }
  }
}

/** @returns a function that changes headers: first it removes, then it sets, then it adds */
export function headerChange({ remove, set, add }: HeaderChanges): (headers: HeaderMap) => void {
  const removed = remove.map((name) => name.toLowerCase());
  const assigned = lowerCased(set);
  const added = lowerCased(add);
  return (headers) => {
    for (const name of removed) delete headers[name];
    for (const [name, value] of assigned) headers[name] = name === 'set-cookie' ? [value] : value;
    for (const [name, value] of added) headers[name] = withValue(name, headers[name], value);
  };
}

function lowerCased(headers: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
}

/** Lists of values are joined as HTTP allows, except cookies. */
function withValue(name: string, current: string | string[] | undefined, value: string): string | string[] {
  if (name === 'set-cookie') return [...[current ?? []].flat(), value];
  return current === undefined ? value : `${[current].flat().join(', ')}, ${value}`;
}

function flatList(headers: HeaderMap): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((item) => [name, item]));
}
