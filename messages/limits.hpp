// Every limit of the runtime, in one place. A queue, retry, buffer or wait without a line here
// is a bug. Sorted by subject; units last in the name.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace holdfast::limits {

// -- money
// ---------------------------------------------------------------------------------------
/// A single amount: twelve digits, ISO 8583 field 4.
inline constexpr std::int64_t amount_minor_max = 999'999'999'999;

// -- shards
// --------------------------------------------------------------------------------------
inline constexpr std::uint16_t shards_max = 10'000;
inline constexpr std::uint16_t stripes_max = 64;
/// Commands that a shard works on or keeps waiting at once; the next gets 503.
inline constexpr std::size_t shard_in_flight_max = 4'096;
/// Idempotency keys that a shard answers from memory, and what they may take there, about 1 KiB
/// each with its answer; older ones are answered by the database.
inline constexpr std::size_t shard_keys_in_memory_max = 2'048;
inline constexpr std::size_t shard_keys_bytes_max = 2UL << 20;
/// Payments that a shard has woken and that have not written yet what they make of it: what is
/// due after them waits its turn, so that it fills neither the memory nor the journal.
inline constexpr std::size_t shard_stirring_max = 32;
/// Payments with nothing pending that keep their actor for a while, a shard.
inline constexpr std::size_t shard_idle_payments_max = 256;
/// How often a shard looks at its timer wheel, and at the database for payments that are due.
inline constexpr std::int64_t shard_tick_ms = 50;
inline constexpr std::int64_t shard_sweep_ms = 1'000;
/// How long an idle payment keeps its actor.
inline constexpr std::int64_t passivate_after_ms = 10'000;
/// Past a request's own deadline, until it is answered without the payment's state.
inline constexpr std::int64_t describe_grace_ms = 3'000;
/// Deaths in a row of one payment's actor before its shard leaves it to the next sweep.
inline constexpr std::uint32_t payment_deaths_max = 5;
/// Keys that a new owner reads into memory: those of the last hour.
inline constexpr std::int64_t shard_keys_warm_ms = 3'600'000;
/// Between two tries of a shard to read what it begins with.
inline constexpr std::int64_t shard_start_retry_ms = 500;
/// Passivated payments that a shard wakes in one sweep.
inline constexpr std::size_t shard_wake_batch_max = 1'000;

// -- a payment
// -----------------------------------------------------------------------------------
/// Commands that wait for the payment's write in flight; the next gets 503.
inline constexpr std::size_t payment_waiting_max = 256;
inline constexpr std::uint32_t payment_attempts_max = 8;
/// How long a card's number is kept in memory for another gateway, while the first one's
/// outcome is being found out. After that a payment by card can't fail over any more.
inline constexpr std::int64_t card_memory_ms_max = 900'000;
/// Decline codes after which another gateway may be asked, in the configuration.
inline constexpr std::size_t retryable_declines_max = 64;
inline constexpr std::size_t decline_code_bytes_max = 64;
inline constexpr std::uint32_t payment_operations_max = 256;
inline constexpr std::size_t reference_bytes_max = 255;
inline constexpr std::size_t description_bytes_max = 1'000;
inline constexpr std::size_t reason_bytes_max = 500;
inline constexpr std::size_t region_bytes_max = 32;
inline constexpr std::size_t metadata_pairs_max = 50;
inline constexpr std::size_t metadata_key_bytes_max = 40;
inline constexpr std::size_t metadata_value_bytes_max = 500;

// -- webhooks and disputes
// -------------------------------------------------------------------------
/// How far a notice's signed time may lie from ours, either way.
inline constexpr std::int64_t webhook_skew_s_max = 300;
/// Signatures of one notice, for secrets that are being rotated.
inline constexpr std::size_t webhook_signatures_max = 8;
inline constexpr std::size_t webhook_signature_bytes_max = 1'024;
inline constexpr std::size_t webhook_secret_bytes_min = 16;
/// A gateway's ids of events, disputes and holds.
inline constexpr std::size_t webhook_id_bytes_max = 255;
/// Notices that a payment's actor knows again without asking the database.
inline constexpr std::size_t webhooks_remembered_max = 64;
inline constexpr std::size_t payment_disputes_max = 32;
inline constexpr std::size_t dispute_notes_max = 32;
inline constexpr std::size_t dispute_note_bytes_max = 5'000;

// -- settlement
// ------------------------------------------------------------------------------------
/// The longest that a shard goes without a look whether the cut-off has come: clocks get set.
inline constexpr std::int64_t cutoff_look_ms = 60'000;
/// Between two looks of a reconciler at files that an acquirer has not answered, at least and
/// at most.
inline constexpr std::int64_t settlement_retry_ms_min = 200;
inline constexpr std::int64_t settlement_retry_ms_max = 60'000;
/// The shortest pause before such a look.
inline constexpr std::int64_t settlement_look_ms_min = 5;
/// After which a call to an acquirer that nobody answered counts as unknown.
inline constexpr std::int64_t acquirer_answer_ms_max = 90'000;
/// What is kept of an acquirer's reason for refusing a file.
inline constexpr std::size_t file_note_bytes_max = 2'000;
/// Items in one settlement file, and so in a batch; what is more goes into the next. A shard
/// has this many of them in memory at a time, and other writes wait while one file's are
/// written.
inline constexpr std::uint32_t file_items_max = 10'000;
/// Items that one transaction closes into batches; the next one goes on behind it.
inline constexpr std::uint32_t cutoff_items_max = 10'000;
/// Calls to one acquirer at once, and those that wait behind them.
inline constexpr std::size_t acquirer_in_flight_max = 4;
inline constexpr std::size_t acquirer_waiting_max = 1'024;

/// Times in a row that an acquirer may put an item off until a person is asked.
inline constexpr std::uint32_t item_deferrals_max = 5;
/// Times in a row that the database may refuse a file's answer, or a payment's own next step,
/// until it is a dead letter.
inline constexpr std::uint32_t answer_refusals_max = 5;

// -- exceptions and dead letters
// -------------------------------------------------------------------
inline constexpr std::size_t exception_owner_bytes_max = 100;
inline constexpr std::size_t exception_note_bytes_max = 2'000;
/// What is kept of the line, or the listing, that raised an exception.
inline constexpr std::size_t exception_raw_bytes_max = 4'000;
/// For an operator's order: reading, a call to a gateway at most, one write.
inline constexpr std::int64_t exception_order_ms_max = 45'000;
inline constexpr std::size_t dead_letter_reason_bytes_max = 2'000;
inline constexpr std::size_t dead_letter_payload_bytes_max = 16 * 1024;
/// Payments of a shard that are left alone because their actors kept dying.
inline constexpr std::size_t payments_parked_max = 10'000;

// -- the search for orphans
// ------------------------------------------------------------------------
/// Authorizations in one page of a gateway's list, and pages in one search of one gateway; the
/// next search goes on where it stopped.
inline constexpr std::size_t orphan_page_rows = 500;
inline constexpr std::size_t orphan_pages_max = 100;
/// Between two pages, so that a search never takes a gateway or the database for itself.
inline constexpr std::int64_t orphan_page_pause_ms = 50;
/// For one page of a gateway's list, and what it may hold.
inline constexpr std::int64_t orphan_list_ms_max = 30'000;
inline constexpr std::size_t orphan_list_bytes_max = 4 * 1024 * 1024;
/// A gateway's clock may be off by so much: what we hold is looked for in a window that much
/// wider.
inline constexpr std::int64_t orphan_clock_ms_max = 60'000;

// -- a node
// ----------------------------------------------------------------------------------------
/// Threads of the actor system's scheduler: on two cores, one beat two (docs/architecture.md).
inline constexpr std::size_t actor_threads = 1;
/// Messages that an actor handles before the next one's turn.
inline constexpr std::size_t actor_throughput = 50;
/// Merchants' requests that a node works on at once; the next gets 503. How many these are is
/// reckoned from what they wait for within the node (actors/admission/control.hpp), between the
/// least and the most.
inline constexpr std::size_t node_in_flight_min = 256;
inline constexpr std::size_t node_in_flight_max = 8'192;
/// What a request may wait within the node on the mean, and how often that is looked at.
inline constexpr std::int64_t node_queueing_ms_max = 150;
inline constexpr std::int64_t node_admission_look_ms = 100;
/// What a stop waits for the last writes.
inline constexpr std::int64_t node_stop_ms_max = 10'000;
/// What an operator's request may take: a verification, a settlement.
inline constexpr std::int64_t admin_answer_ms_max = 900'000;
/// What an operator's cut-off waits for its settlement; it goes on by itself after that.
inline constexpr std::int64_t cutoff_answer_ms_max = 600'000;
/// After a gateway's own timeout, until a payment stops waiting for the answer.
inline constexpr std::int64_t answer_margin_ms = 1'000;

// -- actors
// ----------------------------------------------------------------------------------------
/// Before a gateway's or acquirer's dead actor is started again.
inline constexpr std::int64_t child_restart_ms = 100;

// -- gateways
// --------------------------------------------------------------------------------------
/// Calls that wait for a free connection of one gateway; the next is `not_sent`. Those that
/// settle what is owed (inquiries, reversals, repeats) have a line of their own.
inline constexpr std::size_t gateway_waiting_max = 4'096;
inline constexpr std::size_t gateway_owed_waiting_max = 4'096;
/// The shortest pause before a gateway looks at its lines again.
inline constexpr std::int64_t gateway_look_ms_min = 5;
/// Calls for what is owed that an open breaker lets be under way at once.
inline constexpr std::uint32_t gateway_open_in_flight_max = 1;
/// A retry budget saves up at most what it earns in this time at its least rate.
inline constexpr std::int64_t retry_budget_saving_ms = 10'000;
/// After a breaker has closed: how long the rate of owed calls takes to rise from a tenth to
/// the configured one …
inline constexpr std::int64_t gateway_recovery_ramp_ms = 10'000;
/// … and for how long none of them must have had to wait, until the rate is free again. Longer
/// than a payment's longest pause between two inquiries.
inline constexpr std::int64_t gateway_recovery_quiet_ms = 35'000;
/// What an operator may say about a trip or a reset, and how long a trip may be for.
inline constexpr std::size_t operator_note_bytes_max = 200;
inline constexpr std::size_t operator_name_bytes_max = 64;
inline constexpr std::int64_t gateway_trip_ms_max = 30LL * 24 * 3'600 * 1'000;
/// An answer that is longer is not one.
inline constexpr std::size_t gateway_body_bytes_max = 64 * 1024;

// -- idempotency
// ---------------------------------------------------------------------------------
inline constexpr std::size_t idempotency_key_bytes_max = 255;
/// How long a key is kept after its last use (docs: 10 days), as the shard's memory counts it.
inline constexpr std::int64_t idempotency_key_kept_ms = 10LL * 24 * 3'600'000;
/// By the row's own account it may be taken by a new request from here on, and is swept from
/// there on. What lies between the three covers a use that is not written down yet.
inline constexpr std::int64_t idempotency_key_expired_ms =
  idempotency_key_kept_ms + 12LL * 3'600'000;
inline constexpr std::int64_t idempotency_key_swept_ms =
  idempotency_key_kept_ms + 24LL * 3'600'000;
/// The use of a key is written down at most this often, and a shard writes this often.
inline constexpr std::int64_t idempotency_touch_ms = 3'600'000;
inline constexpr std::int64_t idempotency_touch_write_ms = 10'000;
/// Uses that wait to be written down; the next is noted by a later one.
inline constexpr std::size_t idempotency_touches_max = 8'192;
/// How often a shard looks for keys to sweep; and how many rows it looks at then, and how soon
/// again when there were as many: about a thousand a second and shard.
inline constexpr std::int64_t idempotency_sweep_ms = 600'000;
inline constexpr std::size_t idempotency_sweep_rows_max = 1'000;
inline constexpr std::int64_t idempotency_sweep_again_ms = 1'000;

// -- HTTP
// ----------------------------------------------------------------------------------------
inline constexpr std::size_t http_fields_max = 100;
inline constexpr std::size_t http_request_id_bytes_max = 64;
/// What a chunked body may spend on chunk extensions, all chunks together.
inline constexpr std::size_t http_chunk_extension_bytes_max = 1'024;
/// One read of a body; the buffer of a connection never holds more than this and a head.
inline constexpr std::size_t http_read_bytes_max = 64 * 1024;
/// To take an answer off our hands, for a client that reads slowly or not at all.
inline constexpr std::int64_t http_write_ms_max = 30'000;
/// After a refusal: how long, and how much, a client's rest is read and thrown away, so that it
/// finds the refusal rather than a reset connection.
inline constexpr std::int64_t http_linger_ms_max = 2'000;
inline constexpr std::size_t http_linger_bytes_max = 16 * 1024 * 1024;
/// Connections above the limit that are told so with a 503; further ones are closed unheard.
inline constexpr std::size_t http_turned_away_max = 64;
/// Until the next attempt to accept, when the process has no file descriptor left.
inline constexpr std::int64_t http_accept_retry_ms = 100;
/// The head of an answer that our client reads.
inline constexpr std::size_t http_answer_head_bytes_max = 16 * 1024;
/// A kept connection of our client, unused for longer, is not trusted any more: most servers
/// close theirs after a minute.
inline constexpr std::int64_t http_client_idle_ms_max = 30'000;
/// How often our client looks for calls whose time is up: no call waits longer beyond its own.
inline constexpr std::int64_t http_client_sweep_ms = 10;
/// Answers of class 1xx before the real one.
inline constexpr std::size_t http_interim_answers_max = 8;

// -- the sandbox
// ---------------------------------------------------------------------------------
/// The facts of the last moment that a crash of the machine (not of the process) may lose.
inline constexpr std::int64_t sandbox_sync_ms = 1'000;
inline constexpr std::size_t sandbox_gateways_max = 64;
inline constexpr std::size_t sandbox_holds_max = 8'000'000;
inline constexpr std::size_t sandbox_operations_max = 16'000'000;
inline constexpr std::size_t sandbox_tokens_max = 1'000'000;
inline constexpr std::size_t sandbox_files_max = 100'000;
inline constexpr std::size_t sandbox_file_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t sandbox_name_bytes_max = 64;
inline constexpr std::size_t sandbox_records_page_max = 10'000;
inline constexpr std::size_t sandbox_authorizations_page_max = 1'000;
inline constexpr std::size_t sandbox_connections_max = 8'192;
/// Answers that wait on purpose; the next one is not made to wait.
inline constexpr std::size_t sandbox_delayed_max = 16'384;
inline constexpr std::int64_t sandbox_latency_ms_max = 30'000;
/// Of one webhook that is sent on demand, and places that they may go to.
inline constexpr std::size_t sandbox_webhook_copies_max = 1'000;
inline constexpr std::size_t sandbox_webhook_urls_max = 16;
/// Items of a settlement file that are worked on before other requests get their turn.
inline constexpr std::size_t sandbox_items_a_turn = 512;

// -- configuration: the most that a file may ask for
// -----------------------------------------------
inline constexpr std::size_t key_pepper_bytes_min = 32;
inline constexpr std::int64_t config_connections_max = 100'000;
inline constexpr std::int64_t config_body_bytes_max = 16 * 1024 * 1024;
inline constexpr std::int64_t config_concurrency_max = 16'384;
inline constexpr std::int64_t config_batch_items_max = 1'000'000;
inline constexpr std::int64_t config_calls_a_second_max = 1'000'000;
inline constexpr std::size_t config_routes_max = 1'000;
inline constexpr std::int64_t config_route_priority_max = 1'000'000;
inline constexpr std::int64_t config_route_weight_max = 10'000;

// -- child processes of `dev` and `demo`
// -----------------------------------------------------------
/// From SIGTERM until SIGKILL.
inline constexpr std::int64_t child_stop_ms_max = 15'000;
/// From its start until it says that it is ready; a database that recovers takes the longest.
inline constexpr std::int64_t child_ready_ms_max = 120'000;
/// Pages that the embedded PostgreSQL keeps in memory of its own: a part of the machine's,
/// between these.
inline constexpr std::uint64_t embedded_buffers_part = 8;
inline constexpr std::uint64_t embedded_buffers_bytes_min = 128UL << 20;
inline constexpr std::uint64_t embedded_buffers_bytes_max = 1UL << 30;
/// How long a new `dev` waits for what a killed one has left to be gone.
inline constexpr std::int64_t folder_lock_ms_max = 20'000;
/// The watchdog's patience, twice: after the first signal, and after SIGKILL.
inline constexpr std::int64_t watchdog_grace_ms = 5'000;
/// How long the demo waits for one definitive answer, asking again and again.
inline constexpr std::int64_t demo_answer_ms_max = 180'000;
/// How long the demo waits for settlement to be complete, in rounds of at most a minute.
inline constexpr std::int64_t demo_settlement_ms_max = 600'000;
/// Rows that `holdfast ctl` gathers from a list, page after page.
inline constexpr std::size_t ctl_rows_max = 1'000'000;
/// Restarts in a row of a node that never became ready (`dev --restart-node`).
inline constexpr int node_restarts_max = 8;

// -- the bench
// -----------------------------------------------------------------------------------
/// Of an open loop, after its end: what was due in time and has not begun by then is dropped.
inline constexpr std::int64_t bench_grace_ms = 5'000;
/// One load, however it is counted.
inline constexpr std::int64_t bench_load_ms_max = 3'600'000;
/// Until every request of a load must have had a definitive answer, and between two askings.
inline constexpr std::int64_t bench_settle_ms_max = 180'000;
inline constexpr std::int64_t bench_ask_again_ms = 200;
/// Connections of one load generator: a port each, of about 28,000.
inline constexpr std::size_t bench_connections_max = 16'384;
/// Clients of the baseline, each a connection and a transaction at a time.
inline constexpr std::size_t bench_baseline_clients = 16;
/// Payments that a mode makes before it measures.
inline constexpr std::size_t bench_population_max = 10'000'000;
/// Writes that the ceiling's feeder keeps under way.
inline constexpr std::size_t bench_ceiling_writes = 4'096;
/// Payments that are laid down in the measured database before its node starts.
inline constexpr std::uint64_t bench_stored_max = 50'000'000;
inline constexpr std::size_t bench_merchants_max = 1'000'000;
/// Merchants that are made at once: enough to keep the node's readers busy.
inline constexpr std::size_t bench_merchants_at_once = 64;
/// Installations that one bench compares, all of them running.
inline constexpr std::size_t bench_installations_max = 8;
/// Writes that are synced one by one, to see what a sync costs.
inline constexpr std::size_t bench_syncs = 64;
/// Connections that the peak is measured with, for rates that are a share of it.
inline constexpr std::size_t bench_peak_connections = 512;

// -- requests
// ------------------------------------------------------------------------------------
/// Nesting of a JSON body; our deepest document has three levels.
inline constexpr std::size_t json_depth_max = 16;
/// Members of one JSON object in a body: metadata, the largest, has fewer.
inline constexpr std::size_t json_members_max = 128;
inline constexpr std::size_t token_bytes_max = 255;
inline constexpr std::size_t merchant_name_bytes_max = 200;
/// Longest wait for an outcome that `Prefer: wait` may ask for; below every handler timeout.
inline constexpr std::int64_t prefer_wait_s_max = 55;
inline constexpr std::int64_t prefer_wait_s_default = 10;
inline constexpr std::uint32_t list_limit_max = 100;
inline constexpr std::uint32_t list_limit_default = 10;

// -- API keys
// ------------------------------------------------------------------------------------
/// An unknown key makes the ring look again, but not more often than this.
inline constexpr std::int64_t key_refresh_pause_ms = 250;
/// What the ring knows is looked at again at this age, so that a key revoked on another node
/// dies.
inline constexpr std::int64_t key_age_ms_max = 5'000;
/// While a database can't be read, its keys open doors for so long more; then they get 503.
inline constexpr std::int64_t key_stale_ms_max = 60'000;
/// Requests that wait for one look; the next gets 503.
inline constexpr std::size_t key_waiting_max = 1'024;
/// Databases that are asked to take a new merchant, one after the other while they are away.
inline constexpr std::size_t merchant_homes_tried_max = 3;

// -- metrics
// -------------------------------------------------------------------------------------
/// Series of one metric; what exceeds them is counted in one series more.
inline constexpr std::size_t metric_series_max = 1'000;
/// Payments by status are counted at most this often, however often they are scraped.
inline constexpr std::int64_t status_count_age_ms_max = 5'000;

// -- storage
// -------------------------------------------------------------------------------------
/// Writes and their bytes that wait for the journal; the next is refused.
inline constexpr std::size_t journal_queue_writes_max = 65'536;
inline constexpr std::size_t journal_queue_bytes_max = 256UL << 20;
/// What one journal transaction takes at most.
inline constexpr std::size_t journal_batch_writes_max = 1'024;
inline constexpr std::size_t journal_batch_bytes_max = 8UL << 20;
/// The ids of accounts that a journal's thread need not hash anew; then it begins afresh.
inline constexpr std::size_t account_ids_in_memory_max = 32'768;
/// From the first failure of a write until its shard is given up.
inline constexpr std::chrono::milliseconds journal_recovery_time_max{10'000};
/// For one journal transaction, or one statement of settlement's set-based work.
inline constexpr std::chrono::milliseconds journal_transaction_time_max{10'000};
inline constexpr std::chrono::milliseconds settlement_statement_time_max{60'000};
inline constexpr std::chrono::milliseconds reconnect_pause_min{20};
inline constexpr std::chrono::milliseconds reconnect_pause_max{1'000};
inline constexpr std::chrono::milliseconds connect_time_max{10'000};
/// Of several hosts of one database URL the next one is tried when the one before has not
/// answered after this; whichever answers first and can be written to is taken.
inline constexpr std::chrono::milliseconds connect_head_start{250};
/// Hosts that one database URL may name.
inline constexpr std::size_t database_hosts_max = 16;
/// For queued writes when a node stops.
inline constexpr std::chrono::milliseconds journal_flush_time_max{5'000};
inline constexpr std::chrono::milliseconds migration_time_max{60'000};
/// After which a take-over ends the transactions of the owner before.
inline constexpr std::chrono::milliseconds take_over_wait_max{1'000};
/// Queries that wait for a reader connection; the next gets 503.
inline constexpr std::size_t reader_queue_max = 4'096;
inline constexpr std::chrono::milliseconds query_time_max{10'000};
/// For one chunk of a proof or a statement, which read whole tables.
inline constexpr std::chrono::milliseconds report_query_time_max{120'000};
/// Ledger legs that one event carries; a posting beyond them goes to a further event.
inline constexpr std::size_t event_legs_max = 30'000;
inline constexpr std::int32_t proof_chunk_rows = 5'000;
inline constexpr std::size_t proof_findings_max = 100;
inline constexpr std::uint32_t list_rows_max = 100;
/// Events of the feed, or live payments of a shard, in one answer.
inline constexpr std::uint32_t feed_rows_max = 1'000;
/// Ledger entries in one page of an export, about 300 bytes each.
inline constexpr std::uint32_t export_rows_max = 5'000;
inline constexpr std::size_t shard_live_payments_max = 100'000;

// -- the cluster
// -------------------------------------------------------------------------------------
/// How long the owner of a moving shard is looked for, and the pause between two looks when
/// nothing has changed. Who has refused is spared for twice as long each time, up to the most.
/// A client that waits for less than the least meant the outcome, and not to be turned away.
inline constexpr std::int64_t look_for_owner_ms_min = 3'000;
inline constexpr std::int64_t look_for_owner_ms_max = 6'000;
inline constexpr std::int64_t look_again_ms = 50;
inline constexpr std::int64_t look_again_ms_max = 400;
/// Requests of a node that wait for an owner; the next gets 503.
inline constexpr std::size_t parked_requests_max = 4'096;
/// What a shard that moves gives the requests under way, and then their payments to say how
/// they stand.
inline constexpr std::int64_t shard_drain_ms_max = 3'000;
inline constexpr std::int64_t shard_drain_describe_ms = 500;
/// How long a shard's actor hands back what still comes, after it has let the shard go.
inline constexpr std::int64_t shard_farewell_ms = 250;
/// How long a node that stops goes on listening, so that its clients and whoever balances load
/// see it go; what it waits for others to take its shards over, and for its last answers.
inline constexpr std::int64_t drain_announce_ms = 1'000;
inline constexpr std::int64_t hand_over_ms_max = 8'000;
inline constexpr std::int64_t last_answers_ms_max = 3'000;
/// What the answers that the end of its actors gave are given to leave the node.
inline constexpr std::int64_t answers_leave_ms_max = 250;
/// For what one node asks of another that needs no merchant's patience: a notice, a finding, an
/// order about a breaker.
inline constexpr std::int64_t peer_answer_ms_max = 10'000;
inline constexpr std::size_t cluster_name_bytes_max = 64;
/// After the end of a foreign lease or claim to be alive, until a keeper looks: it must have
/// ended by the database's clock too.
inline constexpr std::chrono::milliseconds lease_look_after_end{1};
/// Orders to pin shards that wait for a keeper's next round; the next is refused.
inline constexpr std::size_t pin_orders_max = 64;
/// How often the holder of "retention" sweeps its database, how many rows it takes at once, how
/// soon again when there were as many, and how long it may take: renewals wait meanwhile.
inline constexpr std::chrono::milliseconds retention_sweep_pause{600'000};
inline constexpr std::int64_t retention_rows_max = 1'000;
inline constexpr std::chrono::milliseconds retention_sweep_again{100};
inline constexpr std::chrono::milliseconds retention_statement_time_max{250};
/// How long it is known that a gateway has told something, and that a node has lived.
inline constexpr std::int64_t webhook_event_kept_ms = 90LL * 24 * 3'600'000;
inline constexpr std::int64_t dead_node_kept_ms = 7LL * 24 * 3'600'000;
/// A link's heartbeat, and how many may go unanswered in a row until the link counts as broken.
inline constexpr std::int64_t link_heartbeat_ms = 500;
inline constexpr std::int64_t link_heartbeats_missed_max = 3;
/// How often a link, or a door, looks at its deadlines.
inline constexpr std::int64_t link_tick_ms = 50;
/// For each step of connecting: the look whether TLS works, CAF's connection, the handshake.
inline constexpr std::int64_t link_probe_ms_max = 1'000;
inline constexpr std::int64_t link_dial_ms_max = 2'000;
inline constexpr std::int64_t link_handshake_ms_max = 1'000;
/// Between two attempts to connect: doubled from the one to the other, with jitter.
inline constexpr std::int64_t link_retry_ms_min = 50;
inline constexpr std::int64_t link_retry_ms_max = 600;
/// An address that led to ourselves, or to a node that is linked already, is tried again.
inline constexpr std::int64_t link_spare_ms = 30'000;
/// Addresses that a node keeps a link to, and nodes that may be linked to it.
inline constexpr std::size_t links_max = 256;
inline constexpr std::size_t link_address_bytes_max = 300;
/// Requests that may be under way to one peer, and their bytes; the next is `overloaded`.
inline constexpr std::uint32_t link_window_requests = 4'096;
inline constexpr std::size_t link_window_bytes = 64 * 1024 * 1024;
/// One envelope between nodes; a payment with all its disputes' notes is the largest.
inline constexpr std::size_t link_frame_bytes_max = 8 * 1024 * 1024;
/// With what CAF puts around it.
inline constexpr std::size_t link_message_bytes_max = link_frame_bytes_max + 64 * 1024;
/// The longest that a request may ask to wait for its answer: a settlement.
inline constexpr std::int64_t link_deadline_ms_max = 900'000;
/// Past a request's deadline, until the node that serves it forgets it.
inline constexpr std::int64_t link_serve_grace_ms = 1'000;
/// A name, a version or a reason in the handshake, and a certificate with its chain.
inline constexpr std::size_t link_text_bytes_max = 512;
inline constexpr std::size_t link_certificate_bytes_max = 64 * 1024;
inline constexpr std::size_t link_nonce_bytes = 32;
/// A connection of CAF's on which nobody said a word, or none for so long, is closed; and how
/// often they are looked at.
inline constexpr std::int64_t link_mute_ms_max = 3'000;
inline constexpr std::int64_t link_silence_ms_max = 10'000;
inline constexpr std::int64_t link_tidy_ms = 1'000;
/// What a stop waits for the links to say goodbye.
inline constexpr std::int64_t links_stop_ms_max = 1'000;

} // namespace holdfast::limits

static_assert(holdfast::limits::shards_max < (1 << 14), "an id carries 14 bits of shard");
static_assert(holdfast::limits::idempotency_key_kept_ms
                  + 4 * holdfast::limits::idempotency_touch_ms
                < holdfast::limits::idempotency_key_expired_ms,
              "a key that memory answers must not be free in the database");
static_assert(holdfast::limits::idempotency_key_expired_ms
                  + 4 * holdfast::limits::idempotency_touch_ms
                < holdfast::limits::idempotency_key_swept_ms,
              "a key that the database answers must not be swept");
static_assert(holdfast::limits::file_items_max <= holdfast::limits::cutoff_items_max,
              "a transaction has room for a full batch");
static_assert(holdfast::limits::shard_drain_ms_max + holdfast::limits::shard_drain_describe_ms
                < holdfast::limits::look_for_owner_ms_max,
              "whoever waits for a shard outlasts its drain");
