/* An assertion and an access token from C.
 *
 *   cc token.c $(pkg-config --cflags --libs privyseal) -o token && ./token config.toml kpn
 */
#include <privyseal.h>
#include <stdio.h>

static int failed(const char *what, privyseal_status status, char *error) {
    fprintf(stderr, "%s: %s\n", what, error);
    privyseal_free(error);
    return (int)status;
}

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: %s CONFIG PROFILE\n", words[0]);
        return PRIVYSEAL_STATUS_USAGE;
    }
    privyseal_client *client = NULL;
    char *assertion = NULL, *token = NULL, *error = NULL;

    privyseal_status status = privyseal_open(words[1], words[2], &client, &error);
    if (status != PRIVYSEAL_STATUS_OK) {
        return failed("open", status, error);
    }
    status = privyseal_self_test(client, &error);
    if (status == PRIVYSEAL_STATUS_OK) {
        status = privyseal_assertion(client, NULL, &assertion, &error);
    }
    if (status == PRIVYSEAL_STATUS_OK) {
        printf("%s\n", assertion);
        status = privyseal_token(client, &token, &error);
    }
    if (status == PRIVYSEAL_STATUS_OK) {
        printf("%s\n", token);
    }
    privyseal_free(assertion);
    privyseal_free(token);
    privyseal_close(client);
    return status == PRIVYSEAL_STATUS_OK ? 0 : failed("token", status, error);
}
