package backworks

// Guarded runs work behind the barrier of the exports, for tests outside the package.
func Guarded(work func()) error {
	_, err := guarded(func() (int, error) {
		work()
		return 0, nil
	})
	return err
}

// Panic panics in the SDK.
func Panic(cause any) { panic(cause) }
