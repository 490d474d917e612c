// A FIX 4.4 acceptor made of QuickFIX, which fills every order. Orders for the symbol REJECT get a Reject, those for UNSUPPORTED a
// BusinessMessageReject, and those for LATE are filled when the client has gone.
//
//     acceptor PORT STORE
//
// SPDX-License-Identifier: MIT
#include <quickfix/Application.h>
#include <quickfix/FileStore.h>
#include <quickfix/MessageCracker.h>
#include <quickfix/Session.h>
#include <quickfix/SocketAcceptor.h>
#include <quickfix/fix44/ExecutionReport.h>
#include <quickfix/fix44/NewOrderSingle.h>

#include <csignal>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

class Exchange : public FIX::Application, public FIX::MessageCracker {
    void onCreate(const FIX::SessionID &) {
    }
    void onLogon(const FIX::SessionID &) {
    }
    void onLogout(const FIX::SessionID &session) {
        for (FIX::Message &report : late_) {
            FIX::Session::sendToTarget(report, session);
        }
        late_.clear();
    }
    void toAdmin(FIX::Message &, const FIX::SessionID &) {
    }
    void toApp(FIX::Message &, const FIX::SessionID &) throw(FIX::DoNotSend) {
    }
    void fromAdmin(const FIX::Message &,
                   const FIX::SessionID &) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
                                                 FIX::IncorrectTagValue, FIX::RejectLogon) {
    }
    void fromApp(const FIX::Message &message,
                 const FIX::SessionID &session) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
                                                      FIX::IncorrectTagValue,
                                                      FIX::UnsupportedMessageType) {
        crack(message, session);
    }

    void onMessage(const FIX44::NewOrderSingle &order, const FIX::SessionID &session) {
        FIX::ClOrdID id;
        FIX::Symbol symbol;
        order.get(id);
        order.get(symbol);
        FIX::PossDupFlag flag;
        const bool again = order.getHeader().isSetField(flag);
        std::cout << "order " << id.getString() << (again ? " resent" : "") << std::endl;
        if (symbol == "REJECT") {
            throw FIX::IncorrectTagValue(FIX::FIELD::Symbol);
        }
        if (symbol == "UNSUPPORTED") {
            throw FIX::UnsupportedMessageType();
        }
        if (symbol != "LATE") {
            FIX::Message report = report_of(order);
            FIX::Session::sendToTarget(report, session);
        } else if (!again) {
            late_.push_back(report_of(order));
        }
    }

    static FIX::Message report_of(const FIX44::NewOrderSingle &order) {
        FIX::ClOrdID id;
        FIX::Symbol symbol;
        FIX::Side side;
        FIX::OrderQty quantity;
        FIX::Price price(10);
        order.get(id);
        order.get(symbol);
        order.get(side);
        order.get(quantity);
        if (order.isSetField(price)) {
            order.get(price);
        }
        const std::string number = id.getString();
        FIX44::ExecutionReport report(FIX::OrderID("O-" + number), FIX::ExecID("E-" + number),
                                      FIX::ExecType(FIX::ExecType_TRADE),
                                      FIX::OrdStatus(FIX::OrdStatus_FILLED), side,
                                      FIX::LeavesQty(0), FIX::CumQty(quantity), FIX::AvgPx(price));
        report.set(id);
        report.set(symbol);
        report.set(FIX::LastQty(quantity));
        report.set(FIX::LastPx(price));
        return report;
    }

    std::vector<FIX::Message> late_;
};

int main(int count, char **words) {
    if (count != 3) {
        std::cerr << "usage: acceptor PORT STORE" << std::endl;
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    std::stringstream text;
    text << "[DEFAULT]\nConnectionType=acceptor\nStartTime=00:00:00\nEndTime=00:00:00\n"
         << "UseDataDictionary=N\nSocketReuseAddress=Y\nSocketAcceptPort=" << words[1]
         << "\nFileStorePath=" << words[2]
         << "\n[SESSION]\nBeginString=FIX.4.4\nSenderCompID=ACCEPTOR\nTargetCompID=BACKWORKS\n";
    try {
        FIX::SessionSettings settings(text);
        Exchange exchange;
        FIX::FileStoreFactory store(settings);
        FIX::SocketAcceptor acceptor(exchange, store, settings);
        acceptor.start();
        std::cout << "listening on " << words[1] << std::endl;
        int signal = 0;
        sigwait(&ends, &signal);
        acceptor.stop();
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
