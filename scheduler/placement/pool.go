package placement

// Pool is what the scheduler knows of one pool at the moment of the choice.
// All sizes are bytes.
type Pool struct {
	Name             string // host@backend#pool
	Host             string // the node
	Backend          string // the section of the node's configuration
	AvailabilityZone string

	Up       bool // the node answered its last poll in time
	Disabled bool // the service is disabled by the administrator
	Frozen   bool // the backend is frozen: what is there stays, nothing is added

	TotalBytes     int64 // physical, as the node said
	FreeBytes      int64 // physical, as the node said at the last poll
	AllocatedBytes int64 // sizes of all volumes that the database has placed here, claims included
	OtherBytes     int64 // what the node holds beside those (strangers, trash): provisioned less live

	Thin                     bool    // more may be promised than there is
	Thick                    bool    // a volume's bytes can be set aside in full
	MaxOverSubscriptionRatio float64 // for thin pools; at least 1
	ReservedPercentage       int     // of TotalBytes, kept free

	BackupStore string // the store for backups that the node reaches; "" for none

	StorageProtocol  string            // iSCSI
	Volumes          int               // volumes placed here
	ClaimedSincePoll int               // volumes claimed here that IO cannot show yet
	Capabilities     map[string]string // volume_backend_name, multiattach …
	IO               DiskIO
}

// DiskIO is what the disks under a pool did, smoothed over the last minute.
type DiskIO struct {
	BusyShare           float64 // 0 to 1: part of the time with I/O under way
	OperationsPerSecond float64
	BytesPerSecond      float64
	MeanWaitMS          float64 // from request to answer
}

// ServiceHost is the pool's service as Cinder names it: host@backend.
func (p *Pool) ServiceHost() string { return p.Host + "@" + p.Backend }
