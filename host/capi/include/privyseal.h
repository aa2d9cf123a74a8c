/* Client assertions and access tokens, by keys that never leave their hardware.
 *
 * All functions may be called by any number of threads at once. Text is UTF-8 and ends with a zero byte.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef PRIVYSEAL_H
#define PRIVYSEAL_H

#include <stdint.h>

/*
 How a call ended.
 */
typedef enum privyseal_status {
  /*
   It did what it says.
   */
  PRIVYSEAL_STATUS_OK = 0,
  /*
   A rule is broken (of a scheme, a certificate chain, a claim), or a server refused.
   */
  PRIVYSEAL_STATUS_REFUSED = 1,
  /*
   What was given cannot be used as it is: an argument, a profile, a file.
   */
  PRIVYSEAL_STATUS_USAGE = 2,
  /*
   The key, its token or device, or its PIN.
   */
  PRIVYSEAL_STATUS_KEY = 3,
  /*
   The server or the network.
   */
  PRIVYSEAL_STATUS_SERVER = 4,
  /*
   A defect of this library; nothing was returned, and the client can be used on.
   */
  PRIVYSEAL_STATUS_DEFECT = 7,
} privyseal_status;

/*
 A client: one scheme and one key. Opened by `privyseal_open`, closed by `privyseal_close`.
 */
typedef struct privyseal_client privyseal_client;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of this library, such as `0.1.0`. It is never freed.
 */
const char *privyseal_version(void);

/*
 Opens the client that a profile describes: finds the key, logs in, proves the certificate chain.

 `config` is the path of a configuration file; null: `/etc/privyseal/config.toml` and the user's own. `profile` is a
 name in it; null: the one in `PRIVYSEAL_PROFILE`. On success `*client` is to be closed by `privyseal_close`. Otherwise,
 where `error` is not null, `*error` is a sentence to be freed by `privyseal_free`. At most one PIN try is spent, and
 never the last.

 # Safety

 `config` and `profile` are null or texts; `client` can be written; `error` is null or can be written.
 */
enum privyseal_status privyseal_open(const char *config,
                                     const char *profile,
                                     struct privyseal_client **client,
                                     char **error);

/*
 Has the key sign once, something that is no assertion and is discarded. Nothing happens where a gateway signs.

 # Safety

 `client` comes from `privyseal_open` and is not closed; `error` is null or can be written.
 */
enum privyseal_status privyseal_self_test(const struct privyseal_client *client,
                                          char **error);

/*
 Makes a new assertion (a compact JWS), as the profile says: signed, verified, good once, mostly for 30 s.

 `audience` takes the place of the profile's; null: the profile's, or the scheme's own. On success `*assertion` is to be
 freed by `privyseal_free`; it is a credential.

 # Safety

 `client` comes from `privyseal_open` and is not closed; `audience` is null or a text; `assertion` can be written;
 `error` is null or can be written.
 */
enum privyseal_status privyseal_assertion(const struct privyseal_client *client,
                                          const char *audience,
                                          char **assertion,
                                          char **error);

/*
 Gets an access token of the profile's server that is good for some time yet: the one that came last, or a new one.
 However many threads ask, one request is under way.

 On success `*token` is to be freed by `privyseal_free`; it is a credential.

 # Safety

 `client` comes from `privyseal_open` and is not closed; `token` can be written; `error` is null or can be written.
 */
enum privyseal_status privyseal_token(const struct privyseal_client *client,
                                      char **token,
                                      char **error);

/*
 Forgets the access token that came last: for one that a resource server refused before it expired. Null is allowed.

 # Safety

 `client` is null, or comes from `privyseal_open` and is not closed.
 */
void privyseal_forget_token(const struct privyseal_client *client);

/*
 Wipes and frees a text that this library returned. Null is allowed.

 # Safety

 `text` is null, or was returned by this library and not freed.
 */
void privyseal_free(char *text);

/*
 Closes a client. Null is allowed.

 # Safety

 `client` is null, or comes from `privyseal_open`, is not closed, and no call uses it.
 */
void privyseal_close(struct privyseal_client *client);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PRIVYSEAL_H */
