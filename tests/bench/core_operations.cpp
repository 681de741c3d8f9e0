// The steps on the actors' thread: keys, decisions and their encoding.
#include "actors/api/render.hpp"
#include "actors/shard/key_table.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/bench/operation.hpp"
#include "tests/bench/sample.hpp"

namespace holdfast::bench {

namespace {

constexpr std::uint64_t table_keys = limits::shard_keys_in_memory_max;
/// Of the latest, which are in the table whatever else bounds it.
constexpr std::uint64_t keys_looked_up = 256;

shards::key_name name_of(std::uint64_t number) {
  return {sample_merchant(), "run-1-1-" + std::to_string(number) + "-0"};
}

storage::stored_answer sample_answer() {
  const auto reply = api::answer_created(approved_sample());
  return {reply.status, reply.content_type, reply.body, reply.location};
}

/// A table that is as full as it gets, as a busy shard's is.
class full_table : public operation {
protected:
  full_table() {
    for (std::uint64_t i = 0; i < table_keys; ++i)
      take(name_of(i), sample_answer());
  }

  void take(const shards::key_name& name, const storage::stored_answer& answer) {
    const auto look = table_.begin(name, {}, approved_.id.value, sample_now);
    HF_ASSERT(look.verdict == shards::key_verdict::fresh);
    table_.finish(name, answer, sample_now);
  }

  const payment approved_ = approved_sample();
  shards::key_table table_{table_keys};
};

class key_use final : public full_table {
public:
  void prepare(std::uint64_t number) override {
    name_ = name_of(table_keys + number);
    answer_ = sample_answer();
  }
  void run() override { take(name_, answer_); }

private:
  shards::key_name name_;
  storage::stored_answer answer_;
};

class key_look_up final : public full_table {
public:
  void prepare(std::uint64_t number) override {
    name_ = name_of(table_keys - 1 - number % keys_looked_up);
  }
  void run() override {
    const auto look = table_.begin(name_, {}, {}, sample_now);
    HF_ASSERT(look.verdict == shards::key_verdict::answered);
  }

private:
  shards::key_name name_;
};

class deciding final : public operation {
public:
  void prepare(std::uint64_t number) override {
    subject_ = {};
    creation_ = sample_creation(number);
    approval_ = sample_approval();
  }
  void run() override {
    static_cast<void>(take_step(subject_, creation_));
    static_cast<void>(take_step(subject_, approval_));
    HF_ASSERT(subject_.status == payment_status::authorized);
  }

private:
  payment subject_;
  payments::command creation_;
  payments::command approval_;
};

class encoding final : public operation {
public:
  encoding() {
    for (const payments::command& what :
         {payments::command{sample_creation(1)}, payments::command{sample_approval()}}) {
      auto taken = take_step(subject_, what);
      writes_.push_back({std::move(taken.events), subject_});
    }
  }

  void prepare(std::uint64_t) override {}
  void run() override {
    std::size_t bytes = 0;
    for (const auto& write : writes_) {
      for (const auto& event : write.events)
        bytes += encode(event).size();
      bytes += encode_detail(write.after).size();
    }
    HF_ASSERT(bytes > 0);
  }

private:
  struct one_write {
    std::vector<payment_event> events;
    payment after;
  };
  payment subject_;
  std::vector<one_write> writes_;
};

} // namespace

std::unique_ptr<operation> make_key_use() {
  return std::make_unique<key_use>();
}

std::unique_ptr<operation> make_key_look_up() {
  return std::make_unique<key_look_up>();
}

std::unique_ptr<operation> make_deciding() {
  return std::make_unique<deciding>();
}

std::unique_ptr<operation> make_encoding() {
  return std::make_unique<encoding>();
}

} // namespace holdfast::bench
