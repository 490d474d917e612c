import type { EndpointConfig } from '../../config/types.js';

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** The methods of a path that does not allow the request's method. */
export interface OtherMethods {
  /** The methods that its endpoints list. */
  readonly configured: readonly string[];
  /** The configured methods and those the server adds: the value of `allow`. */
  readonly allow: readonly string[];
  /** The endpoint of the path that accepts a method; null when none does. */
  endpointOf(method: string): EndpointConfig | null;
}

/** The match of a method and a path. It is immutable, so requests with the same target share it. */
export class RouteMatch {
  private cachedJson: string | null = null;
  private cachedParamsJson: string | null = null;
  private cachedPlaceJson: string | null = null;

  /**
   * @param path as sent: percent-encoded, without the query
   * @param endpoint null when no path matches, or no matching path accepts the method
   * @param params values of the `{name}` segments, decoded
   * @param others methods of the matching paths when none accepts the request's method; null otherwise
   */
  constructor(
    readonly method: string,
    readonly path: string,
    readonly endpoint: EndpointConfig | null = null,
    readonly params: Readonly<Record<string, string>> = NO_PARAMS,
    readonly others: OtherMethods | null = null,
  ) {}

  /** The parameters as a JSON object. */
  get paramsJson(): string {
    return (this.cachedParamsJson ??= JSON.stringify(this.params));
  }

  /** The members method, path, route and params of a request's document, without braces. */
  get json(): string {
    return (this.cachedJson ??= `${this.placeJson},"params":${this.paramsJson}`);
  }

  /** The members method, path and route, without braces. */
  get placeJson(): string {
    return (this.cachedPlaceJson ??= placeJson(this.method, this.path, this.endpoint));
  }
}

/** Method, path and route as members of a document, without braces. */
export function placeJson(method: string, path: string, endpoint: EndpointConfig | null): string {
  return JSON.stringify({ method, path, route: endpoint === null ? null : endpoint.path }).slice(1, -1);
}
