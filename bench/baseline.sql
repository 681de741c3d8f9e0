-- The baseline: a payment as a service without Holdfast's journal would write it. The same rows as
-- the journal writes for an authorization, one payment at a time, in two transactions: the intent
-- before the gateway is asked, and the outcome after. For pgbench (-M prepared), run by
-- `holdfast bench` against a database of the same schema, in the same server.
--
-- Each client has a shard of its own, and so its own head of the log and its own accounts: clients
-- wait for syncs, never for each other's rows. What the runtime encodes (payloads, the snapshot, the
-- stored answer) is zeros here, as long as the runtime's.
\set shard :client_id
\set amount 1000 + 100 * random(0, 49)
\set created_bytes 170
\set attempt_bytes 84
\set approved_bytes 31
\set detail_bytes 258
\set answer_bytes 738

-- The intent. Ids begin with the time, as the runtime's do, so that indexes grow at one end.
begin;
update shard
   set last_seq = last_seq + 2, chain = sha256(chain)
 where shard_id = :shard::int2 and epoch = 0
returning last_seq as seq, encode(chain, 'hex') as chain,
          (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::int8), 12, '0')
           || lpad(to_hex(:shard::int8), 4, '0') || lpad(to_hex(last_seq), 16, '0'))::uuid as id
\gset
insert into idempotency_key (merchant_id, key, shard_id, fingerprint, subject)
values (md5(:shard::text)::uuid, 'bench-1-' || :seq::text || '-0', :shard::int2,
        sha256(convert_to(:id::text, 'UTF8')), :id::uuid);
insert into payment (id, shard_id, merchant_id, status, amount, captured, refunded, disputed,
                     currency, mode, reference, gateway, gateway_reference, acquirer,
                     created_at, updated_at, next_action_at, wake_at, last_seq, detail)
values (:id::uuid, :shard::int2, md5(:shard::text)::uuid, 1, :amount::int8, 0, 0, 0,
        'EUR', 1, '', 'alder', '', 'sandbox', clock_timestamp(), clock_timestamp(),
        clock_timestamp() + interval '4 seconds', clock_timestamp() + interval '7 days',
        :seq::int8,
        decode(repeat('00', :detail_bytes::int4), 'hex'));
insert into event (shard_id, seq, type, merchant_id, subject, at, payload, chain)
values (:shard::int2, :seq::int8 - 1, 1, md5(:shard::text)::uuid, :id::uuid, clock_timestamp(),
        decode(repeat('00', :created_bytes::int4), 'hex'), null),
       (:shard::int2, :seq::int8, 2, md5(:shard::text)::uuid, :id::uuid, clock_timestamp(),
        decode(repeat('00', :attempt_bytes::int4), 'hex'), decode(:chain::text, 'hex'));
commit;

-- Here a service would ask the gateway; the baseline need not. The outcome.
begin;
update shard
   set last_seq = last_seq + 1, chain = sha256(chain)
 where shard_id = :shard::int2 and epoch = 0
returning last_seq as outcome_seq, encode(chain, 'hex') as chain
\gset
update payment
   set status = 3, gateway_reference = 'alder_' || lpad(:outcome_seq::text, 12, '0'),
       updated_at = clock_timestamp(), next_action_at = clock_timestamp() + interval '7 days',
       last_seq = :outcome_seq::int8, detail = decode(repeat('00', :detail_bytes::int4), 'hex')
 where id = :id::uuid;
insert into event (shard_id, seq, type, merchant_id, subject, at, payload, chain)
values (:shard::int2, :outcome_seq::int8, 3, md5(:shard::text)::uuid, :id::uuid,
        clock_timestamp(), decode(repeat('00', :approved_bytes::int4), 'hex'),
        decode(:chain::text, 'hex'));
with touched as (
  insert into account as a (id, shard_id, kind, owner, currency, balance)
  values (md5('hold' || :shard::text)::uuid, :shard::int2, 1, 'alder', 'EUR', :amount::int8),
         (md5('contra' || :shard::text)::uuid, :shard::int2, 2, 'mer_' || md5(:shard::text), 'EUR',
          - :amount::int8)
  on conflict (id) do update set balance = a.balance + excluded.balance
  returning a.id, a.kind, a.balance)
insert into ledger_entry (shard_id, seq, leg, posting, account_id, kind, subject, ordinal, amount,
                          currency, balance_after, effective_date, external_ref, created_at)
select :shard::int2, :outcome_seq::int8, t.kind - 1, 0, t.id, 1, :id::uuid, 1,
       case t.kind when 1 then :amount::int8 else - :amount::int8 end, 'EUR', t.balance,
       (clock_timestamp() at time zone 'UTC')::date, 'alder_' || lpad(:outcome_seq::text, 12, '0'),
       clock_timestamp()
  from touched t;
update idempotency_key
   set status = 201, content_type = 'application/json',
       location = '/v1/payments/pay_' || replace(:id::text, '-', ''),
       body = decode(repeat('00', :answer_bytes::int4), 'hex')
 where merchant_id = md5(:shard::text)::uuid and key = 'bench-1-' || :seq::text || '-0';
commit;
