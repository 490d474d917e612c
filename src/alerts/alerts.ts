import { isDeepStrictEqual } from 'node:util';
import type { AlertsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { StateChange } from '../lifecycle/entry/status.js';
import { addCounter, type MetricsRegistry } from '../metrics/instruments.js';
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
  readonly registry: MetricsRegistry;
}

/** Sends alerts to a webhook when plugins fail and when they recover. */
export class Alerts {
  private readonly plugins = new Map<string, PluginAlerts>();
  private webhook: Webhook | null;
  private settings: AlertsConfig;
  private readonly count: (result: Delivery) => void;

  constructor(private readonly options: AlertsOptions) {
    const { settings, registry } = options;
    const counter = addCounter(registry, {
      name: 'backworks_alerts_total',
      help: 'Alerts by delivery result.',
      labels: ['result'],
    });
    for (const result of DELIVERIES) counter.add({ result }, 0);
    this.count = (result) => counter.add({ result });
    this.settings = settings;
    this.webhook = this.open(settings);
  }

  /** Applies new settings to later alerts. Alerts that are already waiting still go to the previous webhook. */
  configure(settings: AlertsConfig): void {
    if (isDeepStrictEqual(settings, this.settings)) return;
    void this.webhook?.close(CLOSE_LIMIT_MS);
    this.settings = settings;
    this.webhook = this.open(settings);
  }

  private open(settings: AlertsConfig): Webhook | null {
    if (settings.webhook === '') return null;
    return new Webhook({ settings, log: this.options.log, count: this.count });
  }

  /** Records a state change and sends an alert if one is due. Never throws and never waits. */
  note(change: StateChange): void {
    if (this.webhook === null) return;
    let plugin = this.plugins.get(change.plugin);
    if (plugin === undefined) {
      const { server } = this.options;
      plugin = new PluginAlerts(
        () => this.settings,
        (alert) => this.webhook?.send(alertDocument(alert, server)),
      );
      this.plugins.set(change.plugin, plugin);
    }
    plugin.note(change);
  }

  /** Sends the alerts that were held back. Delivery may take two seconds in total. Never rejects. */
  async close(): Promise<void> {
    for (const plugin of this.plugins.values()) plugin.close();
    this.plugins.clear();
    await this.webhook?.close(CLOSE_LIMIT_MS);
  }
}
