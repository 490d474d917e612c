// The orders of the session, for hooks that wait and the thread that talks to the peer.
//
// SPDX-License-Identifier: MIT
#ifndef ORDER_BOOK_HPP
#define ORDER_BOOK_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <backworks/cpp/json.hpp>

#include "fix_message.hpp"

namespace fix {

struct Order {
    /// queued: not sent. sent: no answer yet. reported: has `report`. rejected: the peer answered with Reject.
    /// failed: was not sent, and never will be.
    enum class State { queued, sent, reported, rejected, failed };

    State state = State::queued;
    Message message;
    backworks::Json report;
    /// Why the order is rejected or failed.
    std::string reason;
    std::set<std::string> exec_ids;
};

/// Functions may be called on any thread.
class OrderBook {
  public:
    enum class Submitted { queued, known, not_accepting };

    /// Queues an order, if the session is logged on and its ClOrdID is new.
    Submitted submit(const std::string &cl_ord_id, const Message &new_order);

    /// Waits until the peer has answered. An order that is still queued then is taken back, and is failed.
    Order wait(const std::string &cl_ord_id, std::chrono::milliseconds time);

    /// The order as it is now.
    std::optional<Order> find(const std::string &cl_ord_id) const;

    /// Whether orders are accepted. When not, queued ones fail for this reason.
    void set_accepting(bool accepting, const std::string &why_not = "");

    /// The next order to send, whose state becomes sent.
    std::optional<Message> take();

    /// An order was sent, as the journal says.
    void add_sent(const Message &new_order);

    /// An order could not be sent.
    void fail(const std::string &cl_ord_id, const std::string &why);

    /// @returns whether the report names an order. A report that came before changes nothing.
    bool add_report(const Message &report);

    void add_reject(const Message &new_order, const Message &reject);

  private:
    Order *find_locked(const std::string &cl_ord_id);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool accepting_ = false;
    std::map<std::string, Order> orders_;
    std::vector<std::string> queue_;
};

} // namespace fix

#endif
