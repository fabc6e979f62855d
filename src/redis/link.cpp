#include "redis/link.hpp"

#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <sys/un.h>

namespace doorward::redis {

// What hiredis calls. `data` of a hook is the link; so is the reader's private data.
struct link::hooks {
  static link& self(void* data) noexcept { return *static_cast<link*>(data); }

  // A reply object has to begin like a redisReply, because hiredis looks at its type. One is enough: pieces of an array
  // are told by their parent, and only the root is ever handed back. Its strings stay null.
  static inline thread_local redisReply object{};
  static void* kept(redisReadTask const* task, bool ok) noexcept {
    if (!ok) {
      self(task->privdata).remember(error_kind::protocol, "a reply beyond the limits of size");
      return nullptr;  // hiredis takes it for a lack of memory, and closes
    }
    if (task->parent == nullptr) object.type = task->type;
    return &object;
  }

  // An answer nobody asked for would be taken for the next command's. hiredis 0.14 has an assert there, and calls the
  // callback before once more; so such a reply is refused at its first piece.
  static bool expected(redisReadTask const* task) noexcept {
    auto& l = self(task->privdata);
    if (task->parent != nullptr || l.context_->replies.head != nullptr) return true;
    l.remember(error_kind::protocol, "a reply that was not asked for");
    return false;
  }

  static void* create_string(redisReadTask const* task, char* text, std::size_t length) {
    std::string_view const view{text, length};
    // hiredis steps over the two bytes behind a string without looking at them. They are in its buffer.
    if (task->type == REDIS_REPLY_STRING && (text[length] != '\r' || text[length + 1] != '\n')) {
      self(task->privdata).remember(error_kind::protocol, "a string that is longer than it says");
      return nullptr;
    }
    if (task->parent != nullptr && task->type == REDIS_REPLY_STRING)
      return kept(task, self(task->privdata).builder_.item(view));
    reply::kind kind{};
    switch (task->type) {
      case REDIS_REPLY_STRING: kind = reply::kind::string; break;
      case REDIS_REPLY_STATUS: kind = reply::kind::status; break;
      case REDIS_REPLY_ERROR: kind = reply::kind::error; break;
      default: return kept(task, false);  // RESP3, which was not asked for
    }
    if (!expected(task)) {
      // A server that has too many clients, or is loading, says so and hangs up: worth telling.
      if (kind == reply::kind::error) self(task->privdata).remember_again(classify(view), view);
      return nullptr;
    }
    return kept(task, self(task->privdata).builder_.text(kind, view, task->parent == nullptr));
  }
  static void* create_array(redisReadTask const* task, std::size_t elements) {
    if (!expected(task)) return nullptr;
    return kept(task, task->type == REDIS_REPLY_ARRAY &&
                          self(task->privdata).builder_.array(elements, task->parent == nullptr));
  }
  static void* create_integer(redisReadTask const* task, long long value) {
    if (!expected(task)) return nullptr;
    return kept(task, self(task->privdata).builder_.integer(value, task->parent == nullptr));
  }
  static void* create_nil(redisReadTask const* task) {
    if (!expected(task)) return nullptr;
    return kept(task, self(task->privdata).builder_.nil(task->parent == nullptr));
  }

  static redisReplyObjectFunctions functions() noexcept {
    redisReplyObjectFunctions f{};
    f.createString = create_string;
    // int in 0.14, size_t later. Negative counts never come here.
    f.createArray = [](redisReadTask const* task, auto elements) -> void* {
      return create_array(task, static_cast<std::size_t>(elements));
    };
    f.createInteger = create_integer;
    f.createNil = create_nil;
    f.freeObject = [](void*) {};
#if HIREDIS_MAJOR >= 1
    f.createDouble = [](redisReadTask const* task, double, char*, std::size_t) { return kept(task, false); };
    f.createBool = [](redisReadTask const* task, int) { return kept(task, false); };
#endif
    return f;
  }

  static void add_read(void* data) {
    self(data).wait_readable();
  }
  static void add_write(void* data) {
    auto& l = self(data);
    if (l.writing_) return;
    if (!l.open_ || l.in_write_) {
      // Still connecting, or the socket took only a part: this is when one has to wait.
      l.wait_writable();
    } else if (!l.flusher_.is_linked()) {
      intrusive_ptr_add_ref(&l.owner_);  // until the flusher has had its turn
      l.turns_.push(l.flusher_);
    }
  }
  static void ignore(void*) {}

  /// The context is about to free itself, and to close its descriptor.
  static void cleanup(void* data) {
    auto& l = self(data);
    l.remember_error();
    l.descriptor_.release();
    ++l.generation_;
    l.context_ = nullptr;
  }

  static void on_reply(redisAsyncContext*, void* answer, void* data) {
    auto& l = self(data);
    if (answer != nullptr) {
      l.owner_.on_reply(l.builder_.finish());
      return;
    }
    l.remember_error();
    l.owner_.on_no_reply(l.why_);
  }
};

template <void (link::*Then)()>
struct link::ready_handler {
  boost::intrusive_ptr<link_owner> keep;
  link* self;
  std::uint64_t generation;
  net::detail::operation_memory* memory;

  using allocator_type = net::detail::operation_allocator<std::byte>;
  allocator_type get_allocator() const noexcept { return allocator_type{memory}; }

  void operator()(boost::system::error_code) const {
    // An error needs no look: hiredis will meet it.
    if (generation == self->generation_) (self->*Then)();
  }
};

link::link(link_owner& owner, net::turn_queue& turns)
    : owner_(owner), turns_(turns), descriptor_(turns.context().get_executor()) {}

link::~link() = default;

void link::open_tcp(std::string const& address, std::uint16_t port) {
  adopt(redisAsyncConnect(address.c_str(), port));
}

void link::open_unix(std::string const& path) {
  // hiredis would cut a longer path, and connect to whatever is there.
  adopt(path.size() < sizeof(sockaddr_un::sun_path) ? redisAsyncConnectUnix(path.c_str()) : nullptr);
}

void link::adopt(redisAsyncContext* context) {
  static redisReplyObjectFunctions functions = hooks::functions();
  told_ = open_ = reading_ = writing_ = why_known_ = false;
  if (context == nullptr || context->err != 0) {
    remember(error_kind::refused, context == nullptr ? "not a usable address" : context->errstr);
    if (context != nullptr) redisAsyncFree(context);
    settle();
    return;
  }
  context_ = context;
  context->ev.data = this;
  context->ev.addRead = hooks::add_read;
  context->ev.delRead = hooks::ignore;
  context->ev.addWrite = hooks::add_write;
  context->ev.delWrite = hooks::ignore;
  context->ev.cleanup = hooks::cleanup;
  context->c.reader->fn = &functions;
  context->c.reader->privdata = this;
  // hiredis gives back a read buffer above 16 KiB whenever it is empty, which a busy connection would feel.
  context->c.reader->maxbuf = 64 * 1024;
  ::fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);

  boost::system::error_code ec;
  descriptor_.assign(context->c.fd, ec);
  if (ec) {
    drop(error_kind::other, ec.message());
    return;
  }
  wait_writable();
}

bool link::send(std::string_view resp) noexcept {
  return context_ != nullptr &&
         redisAsyncFormattedCommand(context_, hooks::on_reply, this, resp.data(), resp.size()) == REDIS_OK;
}

void link::drop(error_kind why, std::string_view detail) noexcept {
  if (context_ == nullptr) return;
  remember(why, detail);
  bool const inside = (context_->c.flags & REDIS_IN_CALLBACK) != 0;
  redisAsyncFree(context_);
  if (!inside) settle();
}

void link::wait_readable() {
  if (reading_) return;
  reading_ = true;
  descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                         ready_handler<&link::on_readable>{&owner_, this, generation_, &read_memory_});
}

void link::wait_writable() {
  if (writing_) return;
  writing_ = true;
  descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_write,
                         ready_handler<&link::on_writable>{&owner_, this, generation_, &write_memory_});
}

void link::on_readable() {
  reading_ = false;
  read();
}

void link::read_now() noexcept {
  if (context_ != nullptr && open_) read();
}

void link::read() {
  redisAsyncHandleRead(context_);
  // hiredis waits for the whole of an item whatever its size; what is here of one must not be more than it may be.
  if (context_ != nullptr) {
    auto const& reader = *context_->c.reader;
    if (reader.len - reader.pos > reply_builder::most_skipped_bytes + 64)
      drop(error_kind::protocol, "a reply beyond the limits of size");
  }
  settle();
}

void link::on_writable() {
  writing_ = false;
  write();
}

void link::flusher::on_turn() noexcept {
  boost::intrusive_ptr<link_owner> const keep{&owner.owner_, false};
  // The connection may have gone since, and another be on its way.
  if (owner.context_ != nullptr && owner.open_) owner.write();
}

void link::write() {
  ++writes_;
  in_write_ = true;
  redisAsyncHandleWrite(context_);
  in_write_ = false;
  if (context_ != nullptr && !open_ && (context_->c.flags & REDIS_CONNECTED) != 0) {
    open_ = true;
    owner_.on_open();
  }
  settle();
}

void link::settle() noexcept {
  if (context_ != nullptr || told_) return;
  told_ = true;
  owner_.on_closed(why_, detail_);
}

void link::remember(error_kind why, std::string_view detail) {
  if (why_known_) return;
  remember_again(why, detail);
}

void link::remember_again(error_kind why, std::string_view detail) {
  why_known_ = true;
  why_ = why;
  detail_ = detail;
}

void link::remember_error() {
  if (why_known_ || context_ == nullptr) return;
  auto const& c = context_->c;
  auto why = open_ ? error_kind::reset : error_kind::refused;
  if (c.err == REDIS_ERR_PROTOCOL || c.err == REDIS_ERR_OOM) why = error_kind::protocol;
  remember(why, c.errstr);
}

}  // namespace doorward::redis
