module github.com/backworks/backworks/native-sdk/go

go 1.21
