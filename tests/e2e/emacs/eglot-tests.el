;;; eglot-tests.el --- Eglot without our package  -*- lexical-binding: t; -*-

;;; Commentary:

;; Where Countersign is the only server of a mode, Eglot itself can run it.  It
;; asks by `completing-read'.

;;; Code:

(require 'eglot)
(require 'support)

(defun eglot-tests--run (answer body)
  "Call BODY with a place where Eglot runs the server.
Each question is answered with what ANSWER returns, given its text, the titles
and what stands in it already."
  (let* ((place (support-make-place))
         (file (support-write place "notes.txt" "first\n"))
         (eglot-sync-connect 10)
         (eglot-events-buffer-config '(:size 0))
         (inhibit-message t)
         (eglot-server-programs
          `((text-mode . (,support-countersign
                          "lsp" "--home" ,(support-place-home place))))))
    (unwind-protect
        (cl-letf (((symbol-function 'completing-read)
                   (lambda (prompt titles _predicate _match initial &rest _)
                     (funcall answer prompt titles initial))))
          (with-current-buffer (find-file-noselect file)
            (apply #'eglot (eglot--guess-contact))
            (unwind-protect
                (progn
                  (support-until "a server"
                                 (lambda () (support-serves-p place)))
                  (funcall body place))
              (eglot-shutdown (eglot-current-server))
              (kill-buffer))))
      (support-leave place))))

(ert-deftest eglot-offers-no-first-and-takes-an-empty-answer-for-none ()
  (let (questions)
    (eglot-tests--run
     (lambda (prompt titles initial)
       (push (list prompt titles initial) questions)
       "")
     (lambda (place)
       (support-blocks (support-command place "touch made-by-the-agent"))
       (pcase-let ((`(,prompt ,titles ,initial)
                    (cl-find-if (lambda (question)
                                  (string-search "made-by-the-agent"
                                                 (car question)))
                                questions)))
         (should prompt)
         (should (equal (car titles) "Deny"))
         (should (equal initial "Deny")))))))

(ert-deftest eglot-that-is-quit-says-nothing-and-nothing-runs ()
  (let ((asked 0))
    (eglot-tests--run
     (lambda (prompt &rest _)
       (when (string-search "made-by-the-agent" prompt)
         (cl-incf asked)
         (signal 'quit nil))
       "")
     (lambda (place)
       (let ((hook (support-command place "touch made-by-the-agent")))
         ;; It ends what was going on when the question came.
         (should (eq 'quit
                     (condition-case nil
                         (support-until "a question" (lambda () (> asked 0)))
                       (quit 'quit))))
         (support-waits hook))))))

;;; eglot-tests.el ends here
