// The plugin: configuration, and what clients ask over HTTP.
//
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <backworks_plugin.hpp>

#include "initiator.hpp"
#include "order_json.hpp"

using namespace backworks;

namespace {

struct Config {
    std::string host;
    int port = 0;
    std::string sender_comp_id;
    std::string target_comp_id;
    std::string store;
    int heart_bt_int = 30;
    bool reset_seq_num = false;
    int max_clock_difference = 120;
    int journal_max_mib = 32;

    void fields(Fields &field) {
        field("host", host, "IP address of the peer.").required();
        field("port", port, "TCP port of the peer.").required().range(1, 65535);
        field("sender_comp_id", sender_comp_id, "SenderCompID (49) of this side.").required();
        field("target_comp_id", target_comp_id, "TargetCompID (56): the peer.").required();
        field("store", store, "Absolute path of the directory of the journal.").required();
        field("heart_bt_int", heart_bt_int, "HeartBtInt (108), in seconds.").range(1, 3600);
        field("reset_seq_num", reset_seq_num, "Log on with ResetSeqNumFlag (141) = Y.");
        field("max_clock_difference", max_clock_difference,
              "How far SendingTime of the peer may be from the clock, in seconds; 0 for any "
              "distance.")
            .range(0, 86400);
        field("journal_max_mib", journal_max_mib,
              "Orders are refused when the journal has this size, in MiB.")
            .range(2, 60);
    }
};

fix::InitiatorSettings settings_of(const Config &config) {
    fix::InitiatorSettings settings;
    settings.session.sender_comp_id = config.sender_comp_id;
    settings.session.target_comp_id = config.target_comp_id;
    settings.session.heart_bt_int = static_cast<std::uint64_t>(config.heart_bt_int);
    settings.session.reset_seq_num = config.reset_seq_num;
    settings.session.max_clock_difference = static_cast<std::uint64_t>(config.max_clock_difference);
    settings.host = config.host;
    settings.port = config.port;
    settings.store = config.store;
    settings.journal_max_bytes = static_cast<std::uint64_t>(config.journal_max_mib) << 20;
    return settings;
}

Json order_document(const fix::Order &order) {
    const char *state = order.state == fix::Order::State::reported   ? "reported"
                        : order.state == fix::Order::State::rejected ? "rejected"
                        : order.state == fix::Order::State::failed   ? "notSent"
                                                                     : "sent";
    Json document = Json::object({{"state", state}, {"order", fix::order_json(order.message)}});
    if (!order.report.is_null()) {
        document["report"] = order.report;
    }
    if (!order.reason.empty()) {
        document["reason"] = order.reason;
    }
    return document;
}

/// The state, and why the last connection ended.
std::string describe(const fix::SessionStatus &status) {
    return status.state + (status.last_error.empty() ? "" : ": " + status.last_error);
}

class FixPlugin : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("fix", "1.0.0", "Sends orders over FIX 4.4.")
            .config<Config>()
            .thread_safe();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
        initiator_ = std::make_unique<fix::Initiator>(settings_of(config_));
    }

    void shutdown() override {
        initiator_.reset();
    }

    Health health_check() override {
        const fix::SessionStatus status = initiator_->status();
        return status.state == "loggedOn" ? Health::healthy() : Health::degraded(describe(status));
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        const std::string route = request.route().value_or("");
        if (route == "/orders") {
            return post_order(request);
        }
        if (route == "/session") {
            return Reply::json(session_document());
        }
        if (const auto cl_ord_id = request.param("clOrdId")) {
            const auto order = initiator_->orders().find(*cl_ord_id);
            return order ? Reply::json(order_document(*order))
                         : Reply::problem(404, "Not Found", "no order has this clOrdId");
        }
        return {};
    }

  private:
    Reply post_order(const Request &request) {
        if (request.body().encoding() != BodyEncoding::json) {
            return Reply::problem(400, "Bad Request", "the body is not application/json");
        }
        fix::Message order;
        try {
            order = fix::new_order_single(request.body().json());
        } catch (const fix::BadOrder &error) {
            return Reply::problem(400, "Bad Request", error.what());
        }
        const std::string cl_ord_id(*order.find(fix::tag::ClOrdID));
        switch (initiator_->orders().submit(cl_ord_id, order)) {
        case fix::OrderBook::Submitted::known:
            return Reply::problem(409, "Conflict", "an order with this clOrdId was sent before");
        case fix::OrderBook::Submitted::not_accepting:
            return Reply::problem(503, "Service Unavailable",
                                  "not logged on: " + describe(initiator_->status()));
        case fix::OrderBook::Submitted::queued:
            break;
        }
        initiator_->wake();
        return reply_for(initiator_->orders().wait(cl_ord_id, time_left()));
    }

    static Reply reply_for(const fix::Order &order) {
        switch (order.state) {
        case fix::Order::State::reported:
            return Reply::json(order.report);
        case fix::Order::State::rejected:
            return Reply::problem(502, "Bad Gateway", order.reason);
        case fix::Order::State::failed:
            return Reply::problem(503, "Service Unavailable",
                                  "the order was not sent: " + order.reason);
        case fix::Order::State::queued:
        case fix::Order::State::sent:
            break;
        }
        return Reply::problem(
            504, "Gateway Timeout",
            "the order was sent, and no ExecutionReport came in time: ask for its state");
    }

    /// The deadline of the call, less what the answer itself takes.
    static std::chrono::milliseconds time_left() {
        const auto left = host::deadline_left().value_or(std::chrono::seconds(10));
        return std::max(left - std::max(left / 5, std::chrono::milliseconds(50)),
                        std::chrono::milliseconds(0));
    }

    Json session_document() const {
        const fix::SessionStatus status = initiator_->status();
        Json document = Json::object({{"state", status.state},
                                      {"senderCompId", config_.sender_comp_id},
                                      {"targetCompId", config_.target_comp_id},
                                      {"nextSenderMsgSeqNum", status.next_sender},
                                      {"nextTargetMsgSeqNum", status.next_target},
                                      {"garbledMessages", status.garbled}});
        if (!status.last_error.empty()) {
            document["lastError"] = status.last_error;
        }
        return document;
    }

    Config config_;
    std::unique_ptr<fix::Initiator> initiator_;
};

} // namespace

BACKWORKS_EXPORT_PLUGIN(FixPlugin)
