import type { Context, Hono } from 'hono';
import { BackworksError } from '../errors.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';
import type { SwapResult } from '../lifecycle/swap/swap.js';
import type { SwapOrigin } from '../lifecycle/entry/swap-record.js';
import type { PluginRecord } from '../lifecycle/records/version-history.js';
import { type PluginDocument, pluginDocument } from './plugin-document.js';
import { type HistoryDocument, historyDocument } from './version-document.js';

/** Actions on the versions of a plugin. All reject with a BackworksError. */
export interface VersionControl {
  swap(name: string, by: SwapOrigin): Promise<SwapResult>;
  /** @param to number of versions back, or a prefix of a digest */
  rollBack(name: string, by: SwapOrigin, to?: string): Promise<void>;
  history(name: string): Promise<PluginRecord>;
}

/** The answer of POST /plugins/:name/swap. */
export interface SwapDocument {
  result: SwapResult;
  plugin: PluginDocument;
}

interface VersionRouteParts {
  readonly control: VersionControl;
  /** See AdminOptions. */
  readonly refresh: () => Promise<void>;
  readonly permit: (path: string, needed: 'read' | 'control') => void;
  readonly only: (path: string, allow: string) => void;
  /** @throws BackworksError BW_ROUTE_NOT_FOUND */
  readonly plugin: (name: string) => PluginStatus;
}

/** User agent of the command line. It is informational only: any holder of the token can send it. */
export const CLI_AGENT = 'backworks-cli';

const SWAP = '/plugins/:name/swap';
const ROLLBACK = '/plugins/:name/rollback';
const HISTORY = '/plugins/:name/history';
const TARGET = /^([1-9][0-9]{0,2}|[0-9a-f]{8,64})$/;

/** Swaps, rollbacks and their history. Requests identify plugins by name, never by a file path. */
export function addVersionRoutes(
  app: Hono,
  { control, refresh, permit, only, plugin }: VersionRouteParts,
): void {
  permit(SWAP, 'control');
  app.post(SWAP, async (c) => {
    const { name } = plugin(c.req.param('name'));
    const result = await control.swap(name, origin(c));
    await refresh();
    return c.json<SwapDocument>({ result, plugin: pluginDocument(plugin(name)) });
  });
  only(SWAP, 'POST');

  permit(ROLLBACK, 'control');
  app.post(ROLLBACK, async (c) => {
    const { name } = plugin(c.req.param('name'));
    const to = c.req.query('to');
    if (to !== undefined && !TARGET.test(to)) {
      const message = 'to must be a number of versions, or at least eight digits of a digest';
      throw new BackworksError('BW_REQUEST_INVALID', message);
    }
    await control.rollBack(name, origin(c), to);
    await refresh();
    return c.json(pluginDocument(plugin(name)));
  });
  only(ROLLBACK, 'POST');

  permit(HISTORY, 'read');
  app.get(HISTORY, async (c) => {
    const { name } = plugin(c.req.param('name'));
    return c.json<HistoryDocument>(historyDocument(name, await control.history(name)));
  });
  only(HISTORY, 'GET, HEAD');
}

function origin(c: Context): SwapOrigin {
  return c.req.header('user-agent') === CLI_AGENT ? 'cli' : 'admin';
}
