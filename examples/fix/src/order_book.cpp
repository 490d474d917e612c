// SPDX-License-Identifier: MIT
#include "order_book.hpp"

#include <utility>

#include "order_json.hpp"

namespace fix {

namespace {

std::string cl_ord_id_of(const Message &message) {
    return std::string(message.find(tag::ClOrdID).value_or(""));
}

bool is_answered(const Order &order) {
    return order.state != Order::State::queued && order.state != Order::State::sent;
}

} // namespace

OrderBook::Submitted OrderBook::submit(const std::string &cl_ord_id, const Message &new_order) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Order *order = find_locked(cl_ord_id);
    // An order that never left may be tried again.
    if (order != nullptr && order->state != Order::State::failed) {
        return Submitted::known;
    }
    if (!accepting_) {
        return Submitted::not_accepting;
    }
    Order fresh;
    fresh.message = new_order;
    orders_[cl_ord_id] = std::move(fresh);
    queue_.push_back(cl_ord_id);
    return Submitted::queued;
}

Order OrderBook::wait(const std::string &cl_ord_id, std::chrono::milliseconds time) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, time, [&] { return is_answered(orders_[cl_ord_id]); });
    Order &order = orders_[cl_ord_id];
    if (order.state == Order::State::queued) {
        order.state = Order::State::failed;
        order.reason = "the session was busy until the deadline";
    }
    return order;
}

std::optional<Order> OrderBook::find(const std::string &cl_ord_id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = orders_.find(cl_ord_id);
    return found == orders_.end() ? std::nullopt : std::optional<Order>(found->second);
}

void OrderBook::set_accepting(bool accepting, const std::string &why_not) {
    const std::lock_guard<std::mutex> lock(mutex_);
    accepting_ = accepting;
    if (accepting) {
        return;
    }
    for (const std::string &cl_ord_id : std::exchange(queue_, {})) {
        Order &order = orders_[cl_ord_id];
        if (order.state == Order::State::queued) {
            order.state = Order::State::failed;
            order.reason = why_not;
        }
    }
    changed_.notify_all();
}

std::optional<Message> OrderBook::take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (!queue_.empty()) {
        Order &order = orders_[queue_.front()];
        queue_.erase(queue_.begin());
        if (order.state == Order::State::queued) {
            order.state = Order::State::sent;
            return order.message;
        }
    }
    return std::nullopt;
}

void OrderBook::add_sent(const Message &new_order) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Order order;
    order.state = Order::State::sent;
    order.message = new_order;
    orders_[cl_ord_id_of(new_order)] = std::move(order);
}

void OrderBook::fail(const std::string &cl_ord_id, const std::string &why) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (Order *order = find_locked(cl_ord_id)) {
        order->state = Order::State::failed;
        order->reason = why;
    }
    changed_.notify_all();
}

bool OrderBook::add_report(const Message &report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Order *order = find_locked(cl_ord_id_of(report));
    if (order == nullptr) {
        return false;
    }
    // A peer that has lost its numbers may report an execution again under a new number.
    const std::string exec_id(report.find(tag::ExecID).value_or(""));
    if (order->exec_ids.insert(exec_id).second) {
        order->state = Order::State::reported;
        order->report = report_json(report);
    }
    changed_.notify_all();
    return true;
}

void OrderBook::add_reject(const Message &new_order, const Message &reject) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Order *order = find_locked(cl_ord_id_of(new_order));
    if (order != nullptr && order->state == Order::State::sent) {
        order->state = Order::State::rejected;
        order->reason = reject_text(reject);
    }
    changed_.notify_all();
}

Order *OrderBook::find_locked(const std::string &cl_ord_id) {
    const auto found = orders_.find(cl_ord_id);
    return found == orders_.end() ? nullptr : &found->second;
}

} // namespace fix
