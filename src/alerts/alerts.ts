import { Counter, type Registry } from 'prom-client';
import type { AlertsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { StateChange } from '../plugins/status.js';
import { alertDocument, type AlertingServer } from './alert.js';
import { PluginAlerts } from './plugin-alerts.js';
import { type Delivery, Webhook } from './webhook.js';

const DELIVERIES: readonly Delivery[] = ['delivered', 'failed', 'dropped'];
const CLOSE_LIMIT_MS = 2000;

export interface AlertsOptions {
  readonly settings: AlertsConfig;
  readonly server: AlertingServer;
  readonly log: Log;
  /** Where alerts are counted. */
  readonly registry: Registry;
}

/** Tells a webhook when plugins are not well, and when they are again. */
export class Alerts {
  private readonly plugins = new Map<string, PluginAlerts>();
  private readonly webhook: Webhook | null;

  constructor(private readonly options: AlertsOptions) {
    const { settings, log, registry } = options;
    const counter = new Counter({
      name: 'backworks_alerts_total',
      help: 'Alerts by what became of them.',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of DELIVERIES) counter.inc({ result }, 0);
    const count = (result: Delivery): void => counter.inc({ result });
    this.webhook = settings.webhook === '' ? null : new Webhook({ settings, log, count });
  }

  /** Never throws and never waits. */
  note(change: StateChange): void {
    const { webhook } = this;
    if (webhook === null) return;
    const { settings, server } = this.options;
    let plugin = this.plugins.get(change.plugin);
    if (plugin === undefined) {
      plugin = new PluginAlerts(settings, (alert) => webhook.send(alertDocument(alert, server)));
      this.plugins.set(change.plugin, plugin);
    }
    plugin.note(change);
  }

  /** Tells what was held back and gives all of it two seconds. Never rejects. */
  async close(): Promise<void> {
    for (const plugin of this.plugins.values()) plugin.close();
    this.plugins.clear();
    await this.webhook?.close(CLOSE_LIMIT_MS);
  }
}
