module bench

go 1.21

require github.com/backworks/backworks/native-sdk/go v0.0.0

replace github.com/backworks/backworks/native-sdk/go => ../../../../native-sdk/go
