/* A client of `cleo-like serve` in C (libzmq): a step of current in blocks of 1 ms.
 * cc served_cell.c -lzmq -o served_cell && ./served_cell tcp://127.0.0.1:5555
 * Assumes a little-endian machine, as the message is. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { START = 2, PLAY = 3, BYE = 5, ERROR = 9, BLOCK = 20, BLOCKS = 1000 };

struct header { char magic[4]; uint16_t version, kind; uint64_t number, count; };

static uint64_t number = 0;

/* Ask; the last frame of the answer goes to `out`. Gives its bytes, or -1 on an error. */
static int ask(void *socket, uint16_t kind, uint64_t count, const char *label,
               const double *samples, size_t n, void *out, size_t room) {
  struct header h = {{'C', 'L', 'K', '1'}, 1, kind, ++number, count}, back;
  zmq_send(socket, &h, sizeof h, label ? ZMQ_SNDMORE : 0);
  if (label) {
    zmq_send(socket, label, strlen(label), ZMQ_SNDMORE);
    zmq_send(socket, samples, n * sizeof *samples, 0);
  }
  int size = zmq_recv(socket, &back, sizeof back, 0), more = 0;
  size_t length = sizeof more;
  zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &length);
  while (more) { /* label, then samples; or a text */
    size = zmq_recv(socket, out, room, 0);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &length);
  }
  if (back.kind != ERROR) return size;
  fprintf(stderr, "%.*s\n", size, (char *)out);
  return -1;
}

int main(int argc, char **argv) {
  void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REQ);
  double command[BLOCK], response[64], low = 1, high = -1; /* A and V */
  zmq_connect(socket, argc > 1 ? argv[1] : "tcp://127.0.0.1:5555");
  if (ask(socket, START, BLOCK * BLOCKS, NULL, NULL, 0, response, sizeof response) < 0) return 1;
  for (int b = 0; b < BLOCKS; ++b) {
    for (int k = 0; k < BLOCK; ++k) command[k] = b >= 200 ? 400e-12 : 0.0;
    if (ask(socket, PLAY, 0, "command A 20", command, BLOCK, response, sizeof response) < 0)
      return 1;
    for (int k = 0; k < BLOCK; ++k) {
      if (response[k] < low) low = response[k];
      if (response[k] > high) high = response[k];
    }
  }
  printf("%.1f to %.1f mV\n", low * 1e3, high * 1e3);
  ask(socket, BYE, 0, NULL, NULL, 0, response, sizeof response);
  zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}
