// Tags and message types of FIX 4.4 that this plugin uses, under the names of the standard.
//
// SPDX-License-Identifier: MIT
#ifndef FIX_TAGS_HPP
#define FIX_TAGS_HPP

namespace fix {

constexpr const char *BEGIN_STRING = "FIX.4.4";
constexpr char SOH = '\x01';

namespace tag {
enum Tag : int {
    Account = 1,
    AvgPx = 6,
    BeginSeqNo = 7,
    BeginString = 8,
    BodyLength = 9,
    CheckSum = 10,
    ClOrdID = 11,
    CumQty = 14,
    EndSeqNo = 16,
    ExecID = 17,
    LastPx = 31,
    LastQty = 32,
    MsgSeqNum = 34,
    MsgType = 35,
    NewSeqNo = 36,
    OrderID = 37,
    OrderQty = 38,
    OrdStatus = 39,
    OrdType = 40,
    PossDupFlag = 43,
    Price = 44,
    RefSeqNum = 45,
    SenderCompID = 49,
    SendingTime = 52,
    Side = 54,
    Symbol = 55,
    TargetCompID = 56,
    Text = 58,
    TimeInForce = 59,
    TransactTime = 60,
    EncryptMethod = 98,
    OrdRejReason = 103,
    HeartBtInt = 108,
    TestReqID = 112,
    OrigSendingTime = 122,
    GapFillFlag = 123,
    ResetSeqNumFlag = 141,
    ExecType = 150,
    LeavesQty = 151,
    RefTagID = 371,
    RefMsgType = 372,
    SessionRejectReason = 373,
    BusinessRejectReason = 380
};
} // namespace tag

namespace type {
constexpr const char *Heartbeat = "0";
constexpr const char *TestRequest = "1";
constexpr const char *ResendRequest = "2";
constexpr const char *Reject = "3";
constexpr const char *SequenceReset = "4";
constexpr const char *Logout = "5";
constexpr const char *ExecutionReport = "8";
constexpr const char *Logon = "A";
constexpr const char *NewOrderSingle = "D";
constexpr const char *BusinessMessageReject = "j";
} // namespace type

/// Values of SessionRejectReason (373).
enum class RejectReason : int {
    InvalidTagNumber = 0,
    RequiredTagMissing = 1,
    TagWithoutValue = 4,
    ValueIncorrect = 5,
    IncorrectDataFormat = 6,
    CompIdProblem = 9,
    SendingTimeAccuracy = 10,
    InvalidMsgType = 11,
    TagRepeated = 13,
    TagOutOfOrder = 14
};

} // namespace fix

#endif
