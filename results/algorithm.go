package results

// Attrs of ActionBegin and of Fault, beside "action".
const (
	AttrAlgorithm       = "algorithm"        // of ActionBegin: one of the Algorithm constants
	AttrClient          = "client"           // of ActionBegin: third, source or destination
	AttrCancel          = "cancel"           // of ActionBegin: true: the migration is to be cancelled on purpose
	AttrKillDestination = "kill-destination" // of ActionBegin: true: the destination is to be killed on purpose

	FaultCancel          = "cancel"           // kind of Fault
	FaultKillDestination = "kill-destination" // kind of Fault
	FaultStopGuest       = "stop-guest"       // kind of Fault: the guest was stopped at the source after the pre-copy rounds that were asked for
)

// The algorithms of a migration, as attr "algorithm" names them.
const (
	AlgorithmPreCopy            = "precopy"
	AlgorithmPostCopy           = "postcopy"
	AlgorithmHybrid             = "hybrid"
	AlgorithmXBZRLE             = "xbzrle"
	AlgorithmMultifd            = "multifd"
	AlgorithmCompress           = "compress"
	AlgorithmAutoConverge       = "auto-converge"
	AlgorithmDirtyLimit         = "dirty-limit"
	AlgorithmStopAndCopy        = "stop-and-copy"
	AlgorithmMappedRAM          = "mapped-ram"
	AlgorithmBackgroundSnapshot = "background-snapshot"
)
